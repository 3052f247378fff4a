// Numbers, sizes and times as people read them.

const grouped = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const number = value => value === null || value === undefined ? '–' : grouped.format(value);
export const compact = value => value < 10000 ? grouped.format(Math.round(value * 10) / 10) : short.format(value);
export const percent = part => `${(part * 100).toFixed(part === 1 || part === 0 ? 0 : 1)} %`;
export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

export function size(bytes) {
    if (bytes === null || bytes === undefined) return '–';
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    return `${at === 0 ? bytes : bytes.toFixed(bytes < 10 ? 1 : 0)} ${units[at]}`;
}

export function duration(seconds) {
    if (seconds === null || seconds === undefined) return '–';
    const digits = value => Number(value.toFixed(value < 10 ? 1 : 0));
    if (seconds === 0) return '0 s';
    if (seconds < 0.001) return `${digits(seconds * 1e6)} µs`;
    if (seconds < 1) return `${digits(seconds * 1000)} ms`;
    if (seconds < 120) return `${digits(seconds)} s`;
    if (seconds < 7200) return `${digits(seconds / 60)} min`;
    if (seconds < 172800) return `${digits(seconds / 3600)} h`;
    return `${digits(seconds / 86400)} d`;
}

export const time = date => date.toLocaleTimeString('en-GB');

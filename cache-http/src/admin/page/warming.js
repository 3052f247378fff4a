// Warming: the warmers of the program, and a button that runs one.

import { get, post } from './api.js';
import { el, button, dialog, note, panel, table } from './dom.js';
import { duration, number, plural } from './format.js';

export function warming(signal) {
    const list = table({
        caption: 'Warmers', key: row => row.name, empty: 'The program has no warmers.',
        columns: [
            {
                name: 'name', label: 'Warmer', class: 'wrap', value: row => row.name,
                cell: row => [row.name, el('span', { class: 'under' }, row.description)],
            },
            { name: 'when', label: 'Runs', value: when },
            { name: 'last', label: 'Last run in this process', class: 'wrap', value: row => row.running ? `under way: ${counts(row.running)}` : told(row.last) },
            { name: 'run', label: '', class: 'number', value: row => row.name, cell: row => button('Run…', () => run(row), { class: 'small', 'aria-label': `Run ${row.name}` }) },
        ],
    });
    const root = panel('Warmers', null, list.root);
    root.hidden = true;

    async function load() {
        const { warmers } = await get('warmers', {}, signal);
        list.update(warmers);
        root.hidden = warmers.length === 0;
    }

    async function run(row) {
        const args = await dialog(`Run ${row.name}`, close => {
            const input = el('input', { id: 'args', autocomplete: 'off' });
            const submit = event => { event.preventDefault(); close(input.value.split(/\s+/).filter(word => word)); };
            return [el('form', { onsubmit: submit },
                el('p', { class: 'soft' }, 'It computes what isn’t fresh, and stores it.'),
                el('label', { for: 'args' }, 'Arguments, separated by spaces'), input,
                el('div', { class: 'ends' }, button('Cancel', () => close()),
                    el('button', { class: 'main', type: 'submit' }, 'Run')))];
        });
        if (!args) return;
        try {
            const { report } = await post('warm', { name: row.name, args });
            note(`${row.name}: ${told(report)}`, report.outcome === 'complete' ? null : 'problem');
        } catch (error) {
            note(error.message, 'problem');
        }
        await load();
    }

    load();
    return root;
}

function when(row) {
    const times = [row.at_start && 'at start', row.every !== null && `every ${duration(row.every)}`];
    return times.filter(time => time).join(', ') || 'when asked';
}

function counts(run) {
    const kinds = [[run.fresh, 'fresh'], [run.computed, 'computed'], [run.uncached, 'not cached'], [run.failed, 'failed']];
    const present = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${number(count)} ${kind}`);
    return [plural(run.items, 'item', 'items'), ...present].join(', ');
}

function told(report) {
    if (!report) return '–';
    const outcome = report.outcome === 'complete' ? '' : `${report.outcome.replace('_', ' ')}: `;
    const error = report.error ? ` (${report.error})` : '';
    return `${outcome}${counts(report)} in ${duration(report.seconds)}${error}`;
}

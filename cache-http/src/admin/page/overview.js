// Overview: how well the cache serves, now and in the last minutes.

import { el, panel, table, chip, meter } from './dom.js';
import { history, subscribe } from './poll.js';
import { compact, duration, number, percent, plural, size, time } from './format.js';

const CHARTS = [
    { title: 'Hit rate', series: ['rate'], label: value => value === null ? '–' : `${value.toFixed(1)} %`, range: [0, 100] },
    { title: 'Calls a second', series: ['calls', 'computed'], names: ['calls', 'computed'], label: compact },
    { title: 'Time saved a second', series: ['saved'], label: duration },
];

export function show(main, signal) {
    const tiles = el('dl', { class: 'tiles' });
    const charts = CHARTS.map(chart);
    const processes = table({
        caption: 'Processes', key: process => process.instance, sort: ['instance', true],
        empty: 'No process has published its counters in the last fifteen seconds.', columns: PROCESSES,
    });
    const operations = table({
        caption: 'Redis', key: row => row.operation, sort: ['count', false], columns: OPERATIONS,
        empty: 'Nothing was sent to Redis yet.',
    });
    const stale = table({
        caption: 'Stale entries', key: row => `${row.key} ${row.found}`, columns: STALE, empty: 'None.',
    });
    const audits = panel('Stale entries that audits have found', null, stale.root);
    audits.hidden = true;
    const redis = panel('Redis, as callers wait for it', null, operations.root);
    main.append(
        el('div', { class: 'head' }, el('h1', {}, 'Overview'), el('p', { class: 'soft', id: 'scope' })),
        tiles, el('div', { class: 'charts' }, charts.map(chart => chart.root)),
        audits, el('div', { class: 'pair' }, panel('Processes', null, processes.root), redis),
    );
    const draw = () => charts.forEach(chart => chart.draw());
    const stop = subscribe(fleet => {
        if (!fleet) return;
        main.querySelector('#scope')?.replaceChildren(
            `${plural(fleet.processes.length, 'process', 'processes')} · ${fleet.backend === 'redis' ? 'Redis' : 'memory'} · counted since each one started`);
        tiles.replaceChildren(...tilesOf(fleet));
        draw();
        processes.update(fleet.processes);
        operations.update(fleet.operations);
        stale.update(fleet.audit.found);
        audits.hidden = fleet.audit.found.length === 0;
        redis.hidden = fleet.operations.length === 0;
    });
    const sizes = new ResizeObserver(() => charts.forEach(chart => chart.resize()));
    charts.forEach(chart => sizes.observe(chart.box));
    const recolour = () => charts.forEach(chart => chart.renew());
    addEventListener('theme', recolour);
    signal.addEventListener('abort', () => {
        stop();
        sizes.disconnect();
        removeEventListener('theme', recolour);
        charts.forEach(chart => chart.end());
    });
}

function tile(label, value, under, level) {
    return el('div', { class: 'tile', data: level ? { level } : {} },
        el('dt', {}, label), el('dd', {}, value), el('dd', {}, under ?? ''));
}

function tilesOf(fleet) {
    const { total, processes, store } = fleet;
    const errors = total.store_errors + total.timeouts + total.unavailable + total.background_errors;
    const away = processes.filter(process => process.breaker_open).length;
    const waiting = processes.reduce((all, process) => all + process.replay_queue, 0);
    const near = processes.filter(process => process.near_trusted !== null);
    const trusted = near.filter(process => process.near_trusted).length;
    const tiles = [
        tile('Hit rate', total.calls ? percent(total.hit_rate) : '–', `${compact(total.calls)} calls`),
        tile('Time saved', duration(total.saved_seconds), 'of computation'),
        tile('Entries', store ? compact(store.entries) : '–', store ? `${size(store.bytes)}, ${compact(store.evictions)} evicted` : fleet.cause),
        tile('Store', away ? 'Away' : fleet.backend === 'redis' ? 'Connected' : 'In memory',
            away ? `${away} of ${processes.length} run uncached, ${waiting} invalidations wait` : waiting ? `${waiting} invalidations wait` : 'circuit breaker closed',
            away ? 'problem' : waiting ? 'note' : null),
        tile('Errors', compact(errors), errors ? 'of the store' : 'none since the start', errors ? 'note' : null),
    ];
    if (near.length) {
        tiles.push(tile('Near cache', `${trusted} of ${near.length}`, `in use; ${compact(total.near_hits)} hits`,
            trusted < near.length ? 'note' : null));
    }
    const { audit } = fleet;
    if (audit.total) {
        tiles.push(tile('Audit', audit.stale ? `${number(audit.stale)} stale` : 'None stale', `${compact(audit.total)} hits recomputed`,
            audit.stale ? 'problem' : null));
    }
    return tiles;
}

const ago = process => (process.taken - process.started) / 1000;
const PROCESSES = [
    { name: 'instance', label: 'Process', value: process => process.instance, cell: process => el('span', { class: 'mono' }, process.instance) },
    { name: 'version', label: 'Version', value: process => process.version },
    { name: 'uptime', label: 'Up', numeric: true, value: ago, shown: process => duration(ago(process)) },
    { name: 'calls', label: 'Calls', numeric: true, value: process => process.total.calls, shown: process => number(process.total.calls) },
    {
        name: 'rate', label: 'Hit rate', numeric: true, value: process => process.total.hit_rate,
        cell: process => process.total.calls ? meter(process.total.hit_rate, percent(process.total.hit_rate)) : '–',
    },
    { name: 'entries', label: 'Entries here', numeric: true, value: process => process.entries, shown: process => process.capacity_bytes ? number(process.entries) : '–' },
    {
        name: 'bytes', label: 'Memory', numeric: true, value: process => process.bytes,
        shown: process => process.capacity_bytes ? `${size(process.bytes)} of ${size(process.capacity_bytes)}` : '–',
    },
    {
        name: 'state', label: 'State', value: process => Number(process.breaker_open),
        cell: process => process.breaker_open ? chip('Redis is away', 'problem') : chip('ok', 'ok'),
    },
];

const STALE = [
    { name: 'key', label: 'Key', class: 'wrap', value: row => row.key, cell: row => el('span', { class: 'mono' }, row.key) },
    { name: 'function', label: 'Function', class: 'wrap', value: row => row.function, cell: row => el('span', { class: 'mono' }, row.function) },
    {
        name: 'writes', label: 'Writes that match the key', class: 'wrap', value: row => row.writes.join(' '),
        cell: row => row.writes.length ? row.writes.map(write => el('div', { class: 'mono' }, write)) : 'none: nothing invalidates it',
    },
    { name: 'age', label: 'Age then', numeric: true, value: row => row.age, shown: row => duration(row.age) },
    { name: 'found', label: 'Found', numeric: true, value: row => row.found, shown: row => time(new Date(row.found)) },
];

const OPERATIONS = [
    { name: 'operation', label: 'Operation', value: row => row.operation },
    { name: 'count', label: 'Count', numeric: true, value: row => row.count, shown: row => number(row.count) },
    { name: 'p50', label: 'p50', numeric: true, value: row => row.p50, shown: row => duration(row.p50) },
    { name: 'p99', label: 'p99', numeric: true, value: row => row.p99, shown: row => duration(row.p99) },
];

/** Create a chart. The library draws on a canvas, so colours are read from the page. */
function chart({ title, series, names, label, range }) {
    const box = el('div', { class: 'chart', role: 'img' });
    const now = el('div', { class: 'end' });
    const bar = el('div', { class: 'bar' }, el('h2', {}, title),
        names && el('div', { class: 'keys-of-chart' }, names.map((name, at) => el('span', { data: { series: at + 1 } }, name))), now);
    const root = el('section', { class: 'panel' }, bar, box);
    const probe = el('span', { hidden: true });
    root.append(probe);
    let plot = null;

    const colour = name => {
        // `light-dark()` is only resolved in a property that takes a colour.
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const data = () => [history.at, ...series.map(name => history[name])];
    const space = () => ({ width: Math.max(200, box.clientWidth - 16), height: 182 });

    function create() {
        const [line, soft, grid] = ['--main', '--soft', '--line'].map(colour);
        const colours = [line, colour('--second')];
        const axis = { stroke: soft, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
        const fill = line.replace('rgb(', 'rgba(').replace(')', ', 0.12)');
        const options = {
            ...space(), legend: { show: false }, padding: [8, 8, 0, 0],
            cursor: { sync: { key: 'overview' }, points: { size: 6 }, y: false, drag: { x: false, y: false } },
            scales: { x: { time: true, range: (_, low, high) => [Math.min(low ?? 0, (high ?? 0) - 120), high ?? 1] },
                y: { range: (_, low, high) => range ?? [0, (high || 1) * 1.15] } },
            axes: [
                { ...axis, size: 28, space: 70, values: (_, ticks) => ticks.map(at => new Date(at * 1000).toLocaleTimeString('en-GB')) },
                { ...axis, size: 58, space: 34, values: (_, ticks) => ticks.map(tick => range ? `${tick} %` : label(tick)) },
            ],
            series: [{}, ...series.map((_, at) => ({
                stroke: colours[at], width: 1.6, fill: at === 0 ? fill : undefined, points: { show: false },
            }))],
            hooks: { setCursor: [tell] },
        };
        plot = new uPlot(options, data(), box);
    }

    /** Tell the values at the cursor, or else the last ones. */
    function tell() {
        const at = plot?.cursor.idx ?? history.at.length - 1;
        const values = series.map(name => history[name][at] ?? null);
        const text = values.map(value => value === null ? '–' : label(value)).join(' / ');
        now.textContent = text;
        box.setAttribute('aria-label', `${title}: ${text}`);
    }

    return {
        root, box,
        draw() {
            if (history.at.length < 2) return;
            if (plot) plot.setData(data());
            else create();
            tell();
        },
        resize() { plot?.setSize(space()); },
        renew() { if (plot) { plot.destroy(); create(); } },
        end() { plot?.destroy(); },
    };
}

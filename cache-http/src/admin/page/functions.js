// Functions: the annotated functions, with what each one does for its callers.

import { get } from './api.js';
import { el, button, meter, panel, table } from './dom.js';
import { subscribe } from './poll.js';
import { compact, duration, number, percent, size } from './format.js';
import { warming } from './warming.js';

const errors = row => row.store_errors + row.timeouts + row.unavailable + row.background_errors + row.without_key;

/** A fixed TTL is told in seconds, and any other in words. */
const seconds = ttl => /^[0-9.]+s$/.test(ttl) ? parseFloat(ttl) : null;

const COLUMNS = [
    {
        name: 'function', label: 'Function', class: 'wrap', value: row => row.function,
        cell: row => [row.name, el('span', { class: 'under' }, row.module)],
    },
    {
        name: 'template', label: 'Key', class: 'wrap', value: row => row.templates.join(' '),
        cell: row => row.templates.map(template => el('div', { class: 'mono' }, template)),
    },
    { name: 'ttl', label: 'TTL', value: row => seconds(row.ttl) ?? row.ttl, shown: row => seconds(row.ttl) === null ? row.ttl : duration(seconds(row.ttl)) },
    { name: 'calls', label: 'Calls', numeric: true, value: row => row.calls, shown: row => compact(row.calls) },
    {
        name: 'rate', label: 'Hits', numeric: true, value: row => row.calls ? row.hit_rate : -1,
        cell: row => row.calls ? meter(row.hit_rate, percent(row.hit_rate)) : '–',
    },
    { name: 'p50', label: 'p50', numeric: true, value: row => row.p50, shown: row => duration(row.p50) },
    { name: 'p99', label: 'p99', numeric: true, value: row => row.p99, shown: row => duration(row.p99) },
    { name: 'saved', label: 'Saved', numeric: true, value: row => row.saved_seconds, shown: row => row.calls ? duration(row.saved_seconds) : '–' },
    { name: 'entries', label: 'Entries', numeric: true, value: row => row.sizes?.entries, shown: row => row.sizes ? number(row.sizes.entries) + (row.sizes.more ? '+' : '') : '–' },
    { name: 'bytes', label: 'Bytes', numeric: true, value: row => row.sizes?.bytes, shown: row => row.sizes ? size(row.sizes.bytes) + (row.sizes.more ? '+' : '') : '–' },
    { name: 'errors', label: 'Errors', numeric: true, value: errors, shown: row => number(errors(row)) },
];

export function show(main, signal) {
    const list = table({
        caption: 'Functions', columns: COLUMNS, key: row => row.function, sort: ['calls', false],
        empty: 'No function matches.',
    });
    const filter = el('input', { type: 'search', id: 'filter', placeholder: 'Name or key', 'aria-label': 'Show only functions with this in their name or key' });
    const count = button('Count again', () => measure());
    let fleet = null;
    let sizes = new Map();

    function draw() {
        if (!fleet) return;
        const wanted = filter.value.toLowerCase();
        const rows = fleet.functions.filter(row => row.is_read || row.calls > 0)
            .filter(row => [row.function, ...row.templates].some(text => text.toLowerCase().includes(wanted)))
            .map(row => ({ ...row, sizes: sizes.get(row.function) }));
        list.update(rows);
    }

    async function measure() {
        count.disabled = true;
        try {
            const answer = await get('sizes', {}, signal);
            sizes = new Map(answer.functions.map(row => [row.function, row]));
            draw();
        } finally {
            count.disabled = false;
        }
    }

    filter.addEventListener('input', draw);
    main.append(
        el('div', { class: 'head' }, el('h1', {}, 'Functions'),
            el('p', { class: 'soft' }, 'p50 and p99: how long the body takes. Entries are counted when this page opens.'),
            el('div', { class: 'end' }, filter, count)),
        panel('Reads', null, list.root));
    main.append(warming(signal));
    const stop = subscribe(next => { fleet = next; draw(); });
    signal.addEventListener('abort', stop);
    measure();
}

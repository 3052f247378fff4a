// Writes: which write removes the entries of which read, as a graph; patterns that match nothing; and reads that no
// write reaches.

import { get } from './api.js';
import { chip, el, none, panel, svg, table } from './dom.js';
import { plural } from './format.js';

const WIDTH = 1000;
const BOX = { width: 350, height: 44, gap: 10 };
const TOP = 30;

export async function show(main, signal) {
    main.append(el('div', { class: 'head' }, el('h1', {}, 'Writes'),
        el('p', { class: 'soft' }, 'Which write removes the entries of which read. Focus or hover one to see its own.')));
    const topology = await get('topology', {}, signal);
    const { reads, writes, edges } = topology;
    const counts = [plural(writes.length, 'write', 'writes'), plural(reads.length, 'read', 'reads')].join(' · ');
    main.append(
        panel('Graph', el('span', { class: 'soft' }, counts),
            reads.length + writes.length ? graph(writes, reads, edges) : none('The program has no annotated functions.')),
        deadPatterns(topology.dead_patterns), neverInvalidated(topology.never_invalidated));
}

const shortened = (text, length) => text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** Order nodes by the mean place of their partners, so that few edges cross. A node without one comes last. */
function ordered(nodes, edges, side, partners) {
    const mean = at => {
        const places = edges.filter(edge => edge[side] === at).map(edge => partners.indexOf(edge[1 - side]));
        return places.length ? places.reduce((sum, place) => sum + place, 0) / places.length : Infinity;
    };
    const order = nodes.map((_, at) => [at, mean(at)]);
    return order.sort((one, other) => one[1] - other[1] || one[0] - other[0]).map(([at]) => at);
}

const titled = node => `${node.module.split('::').pop()}::${node.function}`;

function graph(allWrites, allReads, allEdges) {
    let readOrder = allReads.map((_, at) => at);
    let writeOrder = ordered(allWrites, allEdges, 0, readOrder);
    readOrder = ordered(allReads, allEdges, 1, writeOrder);
    writeOrder = ordered(allWrites, allEdges, 0, readOrder);
    const [writes, reads] = [writeOrder.map(at => allWrites[at]), readOrder.map(at => allReads[at])];
    const edges = allEdges.map(([write, read]) => [writeOrder.indexOf(write), readOrder.indexOf(read)]);
    const step = BOX.height + BOX.gap;
    const rows = Math.max(writes.length, reads.length);
    const height = TOP + rows * step + 4;
    // The shorter side is centred.
    const top = count => TOP + (rows - count) * step / 2;
    const root = svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'group', 'aria-label': 'Writes, and the reads whose entries they remove' });
    const right = WIDTH - BOX.width - 1;
    root.append(svg('text', { class: 'title', x: 1, y: 14 }, 'Writes'), svg('text', { class: 'title', x: right, y: 14 }, 'Reads'));

    const middle = (count, at) => top(count) + at * step + BOX.height / 2;
    const paths = edges.map(([write, read]) => {
        const [from, to] = [middle(writes.length, write), middle(reads.length, read)];
        const [start, end] = [BOX.width + 1, right];
        const bend = (end - start) / 2;
        return svg('path', { class: 'edge', d: `M${start} ${from}C${start + bend} ${from} ${end - bend} ${to} ${end} ${to}` });
    });
    root.append(...paths);

    const boxes = { write: [], read: [] };
    function box(side, node, at, x, count, below) {
        const y = top(count) + at * step;
        const partners = edges.filter(edge => edge[side === 'write' ? 0 : 1] === at)
            .map(edge => side === 'write' ? reads[edge[1]] : writes[edge[0]]);
        const names = partners.map(titled).join(', ') || 'none';
        const label = side === 'write' ? `${titled(node)} removes entries of: ${names}` : `${titled(node)} is invalidated by: ${names}`;
        const group = svg('g', { tabindex: 0, role: 'img', 'aria-label': label, class: partners.length ? '' : 'alone' },
            svg('title', {}, `${node.module}::${node.function}\n${below}\n${node.file}:${node.line}`),
            svg('rect', { class: 'box', x, y, width: BOX.width, height: BOX.height, rx: 7 }),
            svg('text', { x: x + 12, y: y + 18 }, shortened(titled(node), 46)),
            svg('text', { class: 'note', x: x + 12, y: y + 34 }, shortened(below, 50)));
        const light = () => highlight(side, at);
        for (const event of ['mouseenter', 'focus']) group.addEventListener(event, light);
        for (const event of ['mouseleave', 'blur']) group.addEventListener(event, () => highlight(null));
        boxes[side].push(group);
        return group;
    }
    function highlight(side, at) {
        root.classList.toggle('dim', side !== null);
        const lit = { write: new Set(), read: new Set() };
        if (side) lit[side].add(at);
        edges.forEach(([write, read], number) => {
            const isLit = (side === 'write' && write === at) || (side === 'read' && read === at);
            paths[number].classList.toggle('on', isLit);
            if (isLit) { lit.write.add(write); lit.read.add(read); }
        });
        for (const [name, groups] of Object.entries(boxes)) {
            groups.forEach((group, number) => group.classList.toggle('on', lit[name].has(number)));
        }
    }
    root.append(...writes.map((node, at) => box('write', node, at, 1, writes.length, node.patterns.join('  '))));
    root.append(...reads.map((node, at) => box('read', node, at, right, reads.length, node.template)));
    return el('div', { class: 'graph' }, root);
}

const place = row => el('span', { class: 'soft' }, `${row.file}:${row.line}`);
const name = row => [row.function, el('span', { class: 'under' }, row.module)];
const COMMON = [
    { name: 'function', label: 'Function', class: 'wrap', value: row => `${row.module}::${row.function}`, cell: name },
    { name: 'place', label: 'At', value: row => `${row.file}:${row.line}`, cell: place },
];

function deadPatterns(rows) {
    const list = table({
        caption: 'Dead patterns', key: row => `${row.file}:${row.line}:${row.pattern}`, empty: 'Each pattern matches keys of a read.',
        columns: [{ name: 'pattern', label: 'Pattern', value: row => row.pattern, cell: row => el('span', { class: 'mono' }, row.pattern) }, ...COMMON],
    });
    list.update(rows);
    return panel('Dead patterns', rows.length ? chip(`${rows.length} to mend`, 'problem') : chip('none', 'ok'), list.root);
}

function neverInvalidated(rows) {
    const list = table({
        caption: 'Reads that no write reaches', key: row => `${row.file}:${row.line}`, empty: 'A write reaches each read.',
        columns: [{ name: 'template', label: 'Key', class: 'wrap', value: row => row.template, cell: row => el('span', { class: 'mono' }, row.template) },
            { name: 'ttl', label: 'Lives for', value: row => row.ttl }, ...COMMON],
    });
    list.update(rows);
    return panel('Reads that no write reaches', rows.length ? chip(`${rows.length} live until their TTL ends`, 'note') : chip('none', 'ok'), list.root);
}

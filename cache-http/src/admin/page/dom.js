// Elements, tables and dialogs. Text is only ever set as text: keys and values are data of others.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'data') Object.assign(element.dataset, value);
        else element.setAttribute(name, value === true ? '' : value);
    }
    return add(element, ...children);
}

/** Append children, without those that are missing. */
export function add(element, ...children) {
    element.append(...children.flat(2).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}

/** Create an element. A child that isn't a node becomes text. */
export const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** Create an element of SVG. */
export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

export const button = (label, onclick, properties) =>
    el('button', { type: 'button', ...properties, onclick }, label);

export const chip = (text, level) => el('span', { class: 'chip', data: level ? { level } : {} }, text);

export const none = text => el('p', { class: 'none' }, text);

/** Create a panel with a heading. */
export function panel(title, end, ...content) {
    const bar = el('div', { class: 'bar' }, el('h2', {}, title), end && el('div', { class: 'end' }, end));
    return el('section', { class: 'panel' }, bar, ...content);
}

/** Create a meter with its text. `part`: from 0 to 1. */
export function meter(part, text) {
    const bar = el('i', { 'aria-hidden': 'true' });
    // By script, which the policy allows, and not as an attribute, which it forbids.
    bar.style.setProperty('--part', `${Math.round(part * 100)}%`);
    return el('span', { class: 'meter' }, text, bar);
}

/**
 * Create a table that is sorted by its headings. A column: `name`, `label`, `value` (what it is sorted by), and
 * `cell` (a text or a node), `numeric`. Rows keep their elements, so that focus and selection stay.
 */
export function table({ caption, columns, key, sort, empty }) {
    let [by, ascending] = sort ?? [];
    let rows = [];
    const known = new Map();
    const body = el('tbody');
    const heads = columns.map(column => {
        const label = column.label;
        const order = () => {
            ascending = by === column.name ? !ascending : !column.numeric;
            by = column.name;
            draw();
        };
        const head = sort ? el('button', { type: 'button', onclick: order }, label) : label;
        return el('th', { scope: 'col', class: column.numeric ? 'number' : column.class }, head);
    });
    const rest = none(empty);
    const grid = el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body);
    const root = el('div', { class: 'scroll' }, grid, rest);

    function rowOf(row) {
        const name = key(row);
        let found = known.get(name);
        if (!found) {
            const cells = columns.map((column, at) => el(at === 0 ? 'th' : 'td', {
                scope: at === 0 && 'row', class: column.numeric ? 'number' : column.class,
            }));
            found = { element: el('tr', {}, cells), cells, shown: [] };
            known.set(name, found);
        }
        columns.forEach((column, at) => {
            const shown = (column.shown ?? column.value)(row) ?? '';
            if (found.shown[at] === shown) return;
            found.shown[at] = shown;
            found.cells[at].replaceChildren(...[column.cell ? column.cell(row) : String(shown)].flat());
        });
        return found.element;
    }

    function draw() {
        const column = columns.find(column => column.name === by);
        if (column) {
            const value = row => column.value(row) ?? -Infinity;
            const compare = (one, other) => {
                const [a, b] = [value(one), value(other)];
                return a < b ? -1 : a > b ? 1 : 0;
            };
            rows.sort((one, other) => ascending ? compare(one, other) : compare(other, one));
        }
        columns.forEach((column, at) => {
            if (column.name === by) heads[at].setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
            else heads[at].removeAttribute('aria-sort');
        });
        const elements = rows.map(rowOf);
        const kept = new Set(rows.map(key));
        for (const name of known.keys()) if (!kept.has(name)) known.delete(name);
        // Moving an element that has the focus would take it away.
        const inOrder = body.children.length === elements.length
            && elements.every((element, at) => body.children[at] === element);
        if (!inOrder) body.replaceChildren(...elements);
        rest.hidden = rows.length > 0;
        grid.hidden = rows.length === 0;
    }

    const update = next => { rows = [...next]; draw(); };
    update([]);
    return { root, update };
}

/** Show a dialog. `build` gets a function that closes it with a result; the promise is of that, or `undefined`. */
export function dialog(title, build) {
    return new Promise(done => {
        const heading = el('h2', { id: 'dialog-title' }, title);
        const root = el('dialog', { 'aria-labelledby': 'dialog-title' }, heading);
        let result;
        const close = value => { result = value; root.close(); };
        root.append(...build(close));
        root.addEventListener('close', () => { root.remove(); done(result); });
        document.body.append(root);
        root.showModal();
    });
}

/** Tell what has happened, or what went wrong. */
export function note(text, level) {
    const shown = el('p', { data: level ? { level } : {} }, text);
    document.getElementById('notes').append(shown);
    setTimeout(() => shown.remove(), 8000);
}

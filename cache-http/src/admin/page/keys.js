// Keys: the tree that keys form, one page of it at a time; an entry's facts; and clearing.

import { get, post } from './api.js';
import { add, el, button, chip, dialog, none, note, panel } from './dom.js';
import { duration, number, plural, size } from './format.js';

const LIMIT = 100;
/** Characters with a meaning in a pattern. */
const literal = text => text.replace(/[*?[\]\\^]/g, '\\$&');

export function show(main, signal) {
    const tree = el('ul', { class: 'tree', 'aria-label': 'Keys' });
    const aside = el('aside', { 'aria-label': 'Entry', 'aria-live': 'polite' });
    const pattern = el('input', { type: 'search', class: 'mono', id: 'pattern', placeholder: 'posts:*', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Pattern' });
    const title = el('span', { class: 'soft' });
    let chosen = null;
    /** The branches that are open, which stay open when the tree is loaded again. */
    const expanded = new Set();

    /** Show the tree, or the matches of the pattern. */
    async function load() {
        const wanted = pattern.value.trim();
        tree.replaceChildren();
        inspectNothing();
        title.textContent = wanted ? 'matches' : 'all keys';
        try {
            await page(tree, wanted ? { pattern: wanted } : { level: '' });
            if (!tree.children.length) tree.append(el('li', {}, none(wanted ? 'No entry matches.' : 'Nothing is cached.')));
        } catch (error) {
            if (error.name !== 'AbortError') tree.append(el('li', {}, none(error.message)));
        }
    }

    /** Append the rows of one page to a list. */
    async function page(list, query) {
        const answer = await get('keys', { limit: LIMIT, ...query }, signal);
        const cut = query.level?.length ?? 0;
        for (const branch of answer.branches ?? []) list.append(branchRow(branch, cut));
        for (const entry of answer.entries) list.append(entryRow(entry, cut));
        if (answer.next) {
            const more = el('li', { class: 'more' }, button('Show more', async event => {
                event.target.disabled = true;
                const before = list.children.length - 1;
                await page(list, { ...query, after: answer.next });
                more.remove();
                list.children[before]?.querySelector('button')?.focus();
            }, { class: 'small' }));
            list.append(more);
        }
    }

    function branchRow(branch, cut) {
        const item = el('li');
        const name = branch.prefix.slice(cut);
        let below = null;
        const toggle = button('', async () => {
            const isOpen = toggle.getAttribute('aria-expanded') === 'true';
            toggle.setAttribute('aria-expanded', String(!isOpen));
            if (isOpen) { expanded.delete(branch.prefix); below.remove(); return; }
            expanded.add(branch.prefix);
            below = el('ul');
            item.append(below);
            await page(below, { level: branch.prefix });
        }, { class: 'open', 'aria-expanded': 'false' });
        toggle.append(el('span', { class: 'mono' }, name));
        const count = `${number(branch.entries)}${branch.more ? '+' : ''}`;
        item.append(el('div', { class: 'row' }, toggle, el('span', { class: 'facts' }, el('span', {}, count)),
            button('Clear…', () => clear({ pattern: `${literal(branch.prefix)}*` }, `everything below ${branch.prefix}`),
                { class: 'small act', 'aria-label': `Clear everything below ${branch.prefix}` })));
        if (expanded.has(branch.prefix)) toggle.click();
        return item;
    }

    function entryRow(entry, cut) {
        const name = entry.path.slice(cut) || entry.path;
        const variant = entry.key.split('#')[1];
        const open = button('', () => choose(open, entry), { class: 'open', 'aria-pressed': 'false' });
        add(open, el('span', { class: 'mono' }, name), variant && el('span', { class: 'soft mono' }, `#${variant}`));
        const ttl = entry.ttl === null ? 'no TTL' : entry.ttl === 0 ? 'stale' : duration(entry.ttl);
        return el('li', {}, el('div', { class: 'row' }, open,
            el('span', { class: 'facts' }, entry.kind === 'value' ? null : chip(entry.kind.replace('_', ' ')),
                el('span', {}, ttl), el('span', {}, size(entry.bytes))),
            button('Clear…', () => clear({ pattern: literal(entry.path) }, entry.path), { class: 'small act', 'aria-label': `Clear ${entry.path}` })));
    }

    function choose(row, entry) {
        chosen?.setAttribute('aria-pressed', 'false');
        chosen = row;
        row.setAttribute('aria-pressed', 'true');
        inspect(entry.key, false);
    }

    function inspectNothing() {
        aside.replaceChildren(panel('Entry', null, none('Choose an entry to see what is known of it.')));
    }

    async function inspect(key, withValue) {
        try {
            const entry = await get('key', { key, value: withValue ? 1 : null }, signal);
            aside.replaceChildren(entryPanel(entry, () => inspect(key, true), () => clear({ pattern: literal(entry.path) }, entry.path)));
        } catch (error) {
            if (error.name === 'AbortError') return;
            if (withValue) note(error.message, 'problem');
            else aside.replaceChildren(panel('Entry', null, none(error.message)));
        }
    }

    async function clear(target, told) {
        if (await confirmed(target, told)) await load();
    }

    let waiting;
    pattern.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(load, 300); });
    signal.addEventListener('abort', () => clearTimeout(waiting));
    main.append(
        el('div', { class: 'head' }, el('h1', {}, 'Keys'), title,
            el('div', { class: 'end' }, pattern, button('Load again', load),
                button('Clear…', () => {
                    const wanted = pattern.value.trim();
                    clear(wanted ? { pattern: wanted } : {}, wanted ? `what ${wanted} matches` : 'every entry');
                }))),
        el('div', { class: 'split' }, el('section', { class: 'panel' }, tree), aside));
    load();
}

function entryPanel(entry, showValue, clear) {
    const times = (name, value) => value === null ? null : [name, duration(value)];
    const names = list => list.length ? list.map(name => el('div', { class: 'mono' }, name)) : 'none in this program';
    const facts = [
        ['Key', el('span', { class: 'mono' }, entry.key)],
        ['Kind', entry.stale ? `stale ${entry.kind}` : entry.kind.replace('_', ' ')],
        ['TTL', entry.ttl === null ? 'never expires' : duration(entry.ttl)],
        times('Served stale for', entry.grace), times('Age', entry.age), times('Computed in', entry.compute),
        ['Size', entry.expanded_bytes !== null && entry.expanded_bytes !== entry.bytes
            ? `${size(entry.bytes)} stored, ${size(entry.expanded_bytes)} as a value` : size(entry.bytes)],
        entry.codec && ['Codec', entry.compression ? `${entry.codec}, ${entry.compression}` : entry.codec],
        entry.version > 0 && ['Version', String(entry.version)],
        entry.intact !== null && ['Checksum', entry.intact ? 'ok' : chip('wrong: readers treat it as a miss', 'problem')],
        entry.owner !== null && ['Owner', el('span', { class: 'mono' }, entry.owner)],
        entry.refreshing && ['Refresh', 'under way'],
        ['Made by', names(entry.functions)], ['Removed by', names(entry.removed_by)],
    ].filter(fact => fact);
    const list = el('dl', { class: 'facts-list' }, facts.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
    let value = null;
    if ('value' in entry) {
        value = entry.value === null && entry.codec && entry.codec !== 'messagepack'
            ? [el('p', { class: 'soft' }, `The value can’t be shown: ${entry.codec} stores values without names.`),
                entry.shape && [el('p', {}, 'Its type:'), el('pre', { tabindex: 0, 'aria-label': 'Type' }, entry.shape)]]
            : el('pre', { tabindex: 0, 'aria-label': 'Value' }, JSON.stringify(entry.value, null, 2));
    } else if (entry.kind === 'value') {
        value = el('p', {}, button('Show the value', showValue, { class: 'small' }),
            el('span', { class: 'soft' }, ' It may be personal data; the log notes who has seen it.'));
    }
    return panel('Entry', button('Clear…', clear, { class: 'small' }), el('div', { class: 'body' }, list),
        value && el('div', { class: 'body' }, value));
}

/** Ask whether to clear, with what a dry run finds; clear, and return whether it was done. */
async function confirmed(target, told) {
    let found;
    try {
        found = await post('clear', { ...target, dry_run: true });
    } catch (error) {
        note(error.message, 'problem');
        return false;
    }
    const count = `${plural(found.entries, 'entry', 'entries')}${found.has_more ? ' or more' : ''}`;
    // Several entries may have one path, in variants.
    const paths = [...new Set(found.examples)];
    const isConfirmed = await dialog('Clear entries', close => [
        el('p', {}, 'This removes ', el('b', {}, count), ': ', el('span', { class: 'mono' }, told), '.'),
        found.examples.length > 0 && el('ul', {}, paths.map(path => el('li', { class: 'mono' }, path)),
            found.entries > found.examples.length && el('li', { class: 'soft' }, 'and others')),
        el('p', { class: 'soft' }, 'Computations that run now are not stored, and every process hears of it.'),
        el('div', { class: 'ends' }, button('Cancel', () => close(false), { autofocus: true }),
            button(found.entries ? `Clear ${count}` : 'Clear', () => close(true), { class: 'danger' })),
    ].filter(part => part));
    if (!isConfirmed) return false;
    try {
        const done = await post('clear', target);
        note(`${plural(done.entries, 'entry was', 'entries were')} cleared.`);
        return true;
    } catch (error) {
        note(error.message, 'problem');
        return false;
    }
}

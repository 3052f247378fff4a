// Live: fills, removals and expiries as they happen.

import { events } from './api.js';
import { el, button, chip, none } from './dom.js';
import { duration, number, size } from './format.js';

const KEPT = 300;
const LEVELS = { filled: 'ok', removed: 'note', lost: 'problem', interrupted: 'problem', flushed: 'problem', computing: 'main' };

export function show(main, signal) {
    const pattern = el('input', { type: 'search', class: 'mono', placeholder: '*', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Pattern' });
    const state = el('p', { class: 'soft' });
    const body = el('tbody');
    const empty = none('Nothing has changed yet. Fills, removals and expiries appear here.');
    const waiting = [];
    let isPaused = false;
    let seen = 0;
    const pause = button('Pause', () => {
        isPaused = !isPaused;
        pause.textContent = isPaused ? 'Go on' : 'Pause';
        pause.setAttribute('aria-pressed', String(isPaused));
        draw();
    }, { 'aria-pressed': 'false' });

    function row(change) {
        const facts = change.kind === 'lost' ? `${number(change.lost)} changes came too fast to be told` : change.cause ?? '';
        return el('tr', {},
            el('td', { class: 'soft' }, new Date(change.at * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 })),
            el('td', {}, chip(change.kind, LEVELS[change.kind])),
            el('td', { class: 'wrap mono' }, change.key ?? facts),
            el('td', { class: 'number' }, change.bytes === undefined ? '' : size(change.bytes)),
            el('td', { class: 'number' }, change.ttl === undefined ? '' : duration(change.ttl)));
    }

    /** Show what has come, once for each frame at most. */
    let isDue = false;
    function draw() {
        isDue = false;
        const shown = `${number(seen)} changes`;
        state.textContent = isPaused ? `${shown}, ${number(waiting.length)} not shown yet` : shown;
        if (isPaused || !waiting.length) return;
        body.prepend(...waiting.splice(0).slice(-KEPT).reverse().map(row));
        while (body.children.length > KEPT) body.lastChild.remove();
        empty.hidden = body.children.length > 0;
    }

    let current = null;
    async function watch() {
        current?.abort();
        const mine = current = new AbortController();
        body.replaceChildren();
        waiting.length = seen = 0;
        empty.hidden = false;
        while (!mine.signal.aborted) {
            try {
                state.textContent = 'Connecting …';
                const stream = events(pattern.value.trim() || '*', mine.signal);
                draw();
                for await (const change of stream) {
                    seen += 1;
                    waiting.push(change);
                    if (waiting.length > KEPT) waiting.shift();
                    if (!isDue) { isDue = true; requestAnimationFrame(draw); }
                }
                state.textContent = 'The stream has ended; connecting again …';
            } catch (error) {
                if (mine.signal.aborted) return;
                state.textContent = error.status ? error.message : 'No answer; connecting again …';
                if (error.status && error.status < 500 && error.status !== 429) return;
            }
            await new Promise(done => setTimeout(done, 2000));
        }
    }

    let typing;
    pattern.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(watch, 400); });
    signal.addEventListener('abort', () => { clearTimeout(typing); current?.abort(); });
    const heads = [['Time'], ['Change'], ['Key'], ['Size', 'number'], ['TTL', 'number']];
    main.append(
        el('div', { class: 'head' }, el('h1', {}, 'Live'), state,
            el('div', { class: 'end' }, pattern, pause, button('Empty the list', () => { body.replaceChildren(); empty.hidden = false; }))),
        el('section', { class: 'panel dense' }, el('div', { class: 'scroll' },
            el('table', {}, el('caption', {}, 'Changes, the last one first'),
                el('thead', {}, el('tr', {}, heads.map(([label, name]) => el('th', { scope: 'col', class: name }, label)))), body), empty)));
    watch();
}

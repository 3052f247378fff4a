// The frame around the pages: which one is shown, the theme, and the state of the connection.

import { onToken, setToken } from './api.js';
import { el, button, note } from './dom.js';
import { poll, subscribe } from './poll.js';
import { time } from './format.js';
import * as overview from './overview.js';
import * as functions from './functions.js';
import * as keys from './keys.js';
import * as writes from './writes.js';
import * as live from './live.js';
import * as doctor from './doctor.js';

const PAGES = [
    ['overview', 'Overview', overview], ['functions', 'Functions', functions], ['keys', 'Keys', keys],
    ['writes', 'Writes', writes], ['live', 'Live', live], ['doctor', 'Doctor', doctor],
];
const main = document.getElementById('main');
const nav = document.getElementById('nav');

for (const [name, label] of PAGES) nav.append(el('a', { href: `#/${name}`, data: { name } }, label));

let leave = null;
function show() {
    const [, name, ...rest] = location.hash.split('/');
    const [shown, label, page] = PAGES.find(([known]) => known === name) ?? PAGES[0];
    const isLater = leave !== null;
    leave?.abort();
    leave = new AbortController();
    for (const link of nav.children) {
        if (link.dataset.name === shown) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    document.title = `${label} · Cache`;
    main.replaceChildren();
    let path = '';
    try { path = decodeURIComponent(rest.join('/')); } catch { /* A link that is broken leads to the top. */ }
    page.show(main, leave.signal, path);
    // The keyboard goes on in the new page.
    if (isLater) main.focus({ preventScroll: true });
}
addEventListener('hashchange', show);

const theme = document.getElementById('theme');
const THEMES = { '': 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };
function setTheme(next) {
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    theme.textContent = THEMES[next];
    try { localStorage.setItem('cache-admin-theme', next); } catch { /* It is kept for this visit only. */ }
    dispatchEvent(new Event('theme'));
}
theme.addEventListener('click', () => {
    const names = Object.keys(THEMES);
    const current = document.documentElement.dataset.theme ?? '';
    setTheme(names[(names.indexOf(current) + 1) % names.length]);
});
setTheme(document.documentElement.dataset.theme ?? '');
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('theme')));

const forget = document.getElementById('forget');
onToken(has => { forget.hidden = !has; });
forget.addEventListener('click', () => { setToken(null); location.reload(); });

const state = document.getElementById('state');
subscribe((fleet, failure) => {
    const problem = failure ? 'No answer' : fleet.processes.some(process => process.breaker_open) ? 'Redis is away' : '';
    state.dataset.level = problem ? 'problem' : 'ok';
    state.textContent = problem || `Updated ${time(new Date())}`;
    state.title = failure ? failure.message : '';
    if (fleet) document.getElementById('prefix').textContent = fleet.prefix;
    if (failure?.status === 401 && !main.querySelector('.locked')) {
        main.replaceChildren(el('section', { class: 'panel locked' }, el('div', { class: 'none' },
            el('p', {}, failure.message), button('Enter a token', () => location.reload(), { class: 'main' }))));
    }
});
addEventListener('unhandledrejection', event => {
    if (event.reason?.name === 'AbortError') { event.preventDefault(); return; }
    if (event.reason?.status) { event.preventDefault(); note(event.reason.message, 'problem'); }
});

show();
poll();

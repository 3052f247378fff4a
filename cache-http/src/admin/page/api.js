// Requests to the API that serves this page.

import { dialog, el, button } from './dom.js';

const STORED = 'cache-admin-token';
// This file is at `static/api.js`, below the mount.
const root = new URL('..', import.meta.url);

export class Refusal extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

let token = sessionStorage.getItem(STORED);
let asking = null;
const watchers = [];

/** Call this with whether there is a token, now and after each change. */
export function onToken(watcher) {
    watchers.push(watcher);
    watcher(token !== null);
}

/** Keep a token for this tab, and no longer; `null` forgets it. */
export function setToken(next) {
    token = next;
    if (next === null) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, next);
    watchers.forEach(watcher => watcher(next !== null));
}

/** Ask for a token. All requests wait for one answer. */
function ask(wasRefused) {
    asking ??= dialog('This service asks for a token', close => {
        const input = el('input', { type: 'password', autocomplete: 'off', required: true, id: 'token' });
        const submit = event => { event.preventDefault(); if (input.value.trim()) close(input.value.trim()); };
        return [el('form', { onsubmit: submit },
            wasRefused && el('p', { class: 'wrong', role: 'alert' }, 'That token has no rights here.'),
            el('p', { class: 'soft' }, 'It is sent as ', el('code', {}, 'Authorization: Bearer'),
                ', and kept until this tab is closed.'),
            el('label', { for: 'token' }, 'Token'), input,
            el('div', { class: 'ends' }, button('Cancel', () => close()),
                el('button', { class: 'main', type: 'submit' }, 'Continue')))];
    }).then(answer => {
        asking = null;
        if (answer === undefined) throw new Refusal(401, 'A token is needed to show anything.');
        setToken(answer);
    });
    return asking;
}

async function request(path, options) {
    for (;;) {
        if (asking) await asking;
        const sent = token;
        const headers = { ...options.headers };
        if (sent !== null) headers.authorization = `Bearer ${sent}`;
        const response = await fetch(new URL(path, root), { ...options, headers, cache: 'no-store', redirect: 'error' });
        if (response.status !== 401) return response;
        // Another request may have asked in the meantime.
        if (sent === token) await ask(sent !== null);
    }
}

async function json(response) {
    const body = await response.json().catch(() => null);
    if (response.ok) return body;
    throw new Refusal(response.status, body?.error ?? `the answer is ${response.status}`);
}

function withQuery(path, query) {
    const set = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);
    return set.length ? `${path}?${new URLSearchParams(set)}` : path;
}

export const get = async (path, query, signal) => json(await request(withQuery(path, query), { signal }));

export const post = async (path, body) => json(await request(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
}));

/** Yield the changes of entries. An `EventSource` can't send a token, so the stream is read here. */
export async function* events(pattern, signal) {
    const response = await request(withQuery('events', { pattern }), { signal });
    if (!response.ok) await json(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        text += value;
        const blocks = text.split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
            const data = block.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6));
            if (data.length) yield JSON.parse(data.join('\n'));
        }
    }
}

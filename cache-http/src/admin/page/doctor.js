// Doctor: the checks of `cachectl doctor`, each with its fix.

import { get } from './api.js';
import { el, button, chip, none } from './dom.js';
import { plural, time } from './format.js';

const ORDER = { problem: 0, note: 1, ok: 2 };

export function show(main, signal) {
    const summary = el('p', { class: 'soft', role: 'status' });
    const list = el('ul', { class: 'findings' });
    const again = button('Check again', check);

    async function check() {
        again.disabled = true;
        summary.textContent = 'Checking …';
        try {
            const { findings } = await get('doctor', {}, signal);
            findings.sort((one, other) => ORDER[one.level] - ORDER[other.level]);
            list.replaceChildren(...findings.map(finding => el('li', {},
                el('span', {}, chip(finding.level, finding.level)), el('span', { class: 'soft' }, finding.check),
                el('span', { class: 'text' }, finding.text), finding.fix && el('span', { class: 'fix' }, `Fix: ${finding.fix}`))));
            const problems = findings.filter(finding => finding.level === 'problem').length;
            summary.textContent = `${problems ? plural(problems, 'problem', 'problems') : 'No problems'}, checked at ${time(new Date())}`;
        } catch (error) {
            if (error.name === 'AbortError') return;
            summary.textContent = '';
            list.replaceChildren(el('li', {}, none(error.message)));
        } finally {
            again.disabled = false;
        }
    }

    main.append(el('div', { class: 'head' }, el('h1', {}, 'Doctor'), summary, el('div', { class: 'end' }, again)),
        el('section', { class: 'panel' }, list));
    check();
}

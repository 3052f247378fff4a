// The counters of the fleet, asked for every two seconds, and what they were in the last quarter of an hour.

import { get } from './api.js';

const EVERY = 2000;
const KEPT = 450;

const listeners = new Set();
/** Counters of each process when they were last taken, and its rates since the time before. */
const processes = new Map();
export const history = { at: [], rate: [], calls: [], computed: [], saved: [] };
export let latest = null;
let failure = null;

export function subscribe(listener) {
    listeners.add(listener);
    if (latest || failure) listener(latest, failure);
    return () => listeners.delete(listener);
}

/** Update the rates of a process. Other processes publish every five seconds: in between, a rate stays. */
function advance(process) {
    const counters = { taken: process.taken, ...process.total };
    const before = processes.get(process.instance);
    if (!before) {
        processes.set(process.instance, { counters, calls: 0, misses: 0, saved: 0 });
        return;
    }
    const seconds = (counters.taken - before.counters.taken) / 1000;
    if (seconds <= 0) return;
    const rate = name => Math.max(0, counters[name] - before.counters[name]) / seconds;
    processes.set(process.instance, {
        counters, calls: rate('calls'), misses: rate('computed'), saved: rate('saved_seconds'),
    });
}

function record(fleet) {
    fleet.processes.forEach(advance);
    const alive = new Set(fleet.processes.map(process => process.instance));
    for (const name of processes.keys()) if (!alive.has(name)) processes.delete(name);
    const sum = name => [...processes.values()].reduce((all, process) => all + process[name], 0);
    const [calls, misses] = [sum('calls'), sum('misses')];
    history.at.push(Date.now() / 1000);
    history.calls.push(calls);
    history.computed.push(misses);
    history.rate.push(calls > 0 ? (calls - misses) / calls * 100 : null);
    history.saved.push(sum('saved'));
    for (const points of Object.values(history)) if (points.length > KEPT) points.shift();
}

export async function poll() {
    for (;;) {
        if (!document.hidden) {
            try {
                latest = await get('fleet');
                failure = null;
                record(latest);
            } catch (error) {
                failure = error;
            }
            listeners.forEach(listener => listener(latest, failure));
            // Without a token there is nothing to ask for, until the page is loaded again.
            if (failure?.status === 401) return;
        }
        await new Promise(done => setTimeout(done, EVERY));
    }
}

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { catalogue, type ProviderId } from '../../sandbox';
import { blocks, expectedOutput, rows, signRow, type ConformanceRow } from './conformance';
import {
	checkForgeries,
	deliverTo,
	spacedOut,
	stopClock,
	type Delivery,
	type Specimen,
} from './conformanceForgeries';
import { ContextHost } from '../../testkit/contextHost';
import { registeredByHand } from './hosts';
import { triggersUnderTest } from './providers';

/**
 * Every delivery that a document or SDK describes, signed by the sandbox and delivered over HTTP:
 * the documented output, and 401 without a run for each of its forgeries.
 *
 * Also accepted, although no document says so: white space around a header's value. Upper-case hex
 * is not accepted (see conformanceForgeries.ts for both).
 */

const SECRET = 'whsec_of_the_conformance_suite';
/** The clock stands still, so that one second too old is exactly that. */
const NOW = Date.parse('2026-01-02T03:04:05Z');

const hosts = new Map<string, ContextHost>();
const counts = { deliveries: 0, forgeries: 0 };

beforeAll(() => stopClock(NOW));
afterAll(async () => {
	jest.useRealTimers();
	await Promise.all([...hosts.values()].map((host) => host.close()));
	console.log(
		`Conformance: ${rows.length} rows, each accepted and forged (${counts.forgeries} forged deliveries), none skipped`,
	);
});

/** One trigger, and one HTTP server, for each product and pinned scheme. */
function hostOf(provider: ProviderId, pin: string | undefined): ContextHost {
	const key = `${provider} ${pin ?? 'auto'}`;
	const known = hosts.get(key);
	if (known !== undefined) return known;
	const trigger = triggersUnderTest.find((candidate) => candidate.provider === provider);
	if (trigger === undefined) throw new Error(`no trigger for ${provider}`);
	const host = new ContextHost({
		...registeredByHand(trigger, SECRET, {
			events: ['*'],
			simplify: false,
			options: {
				// While the clock stands still, bodies without an id are equal.
				skipDuplicates: false,
				...(pin === undefined ? {} : { signatureScheme: pin }),
			},
		}),
		workflowId: `conformance of ${key}`,
	});
	hosts.set(key, host);
	return host;
}

function sign(row: ConformanceRow, ageSeconds = 0, secret = SECRET) {
	counts.deliveries++;
	const id = `evt_conformance_${counts.deliveries}`;
	const atMs = NOW - ageSeconds * 1000;
	return { id, atMs, ...signRow(row, { secret, id, atMs }) };
}

function specimenOf(row: ConformanceRow): Specimen {
	return {
		scheme: row.scheme,
		siblings: row.siblings,
		sign: ({ secret, ageSeconds } = {}) => sign(row, ageSeconds, secret),
	};
}

async function deliver(row: ConformanceRow, delivery: Delivery) {
	return await deliverTo(hostOf(row.block.provider, row.scheme.pin), delivery);
}

describe('the table', () => {
	const titles = rows.map(({ title }) => title);

	it('names every combination once', () => {
		expect(new Set(titles).size).toBe(titles.length);
	});

	it.each(catalogue)('has exactly what the sandbox can send: $provider', (entry) => {
		const own = blocks.filter((block) => block.provider === entry.provider && !block.standIn);
		const ids = (facts: ReadonlyArray<{ id: string }>) => [...new Set(facts.map(({ id }) => id))];
		const events = own.flatMap((block) => block.events).filter(({ inferred }) => !inferred);
		expect(events.map(({ name }) => name).sort()).toEqual(
			entry.events.map(({ name }) => name).sort(),
		);
		const schemes = own.flatMap((block) => block.schemes);
		expect(ids(schemes).sort()).toEqual(ids(entry.schemes).sort());
		expect(ids(own.flatMap(({ envelopes }) => envelopes)).sort()).toEqual(
			ids(entry.envelopes).sort(),
		);
		for (const { id, timestamped, eventHeader } of entry.schemes) {
			const scheme = schemes.find((candidate) => candidate.id === id);
			expect(scheme?.covers === 'timestamp.body').toBe(timestamped);
			expect(scheme?.eventHeaders[0]).toBe(eventHeader);
		}
	});
});

describe.each(blocks.map((block) => ({ provider: block.provider, block })))(
	'$provider',
	({ block }) => {
		const own = rows.filter((row) => row.block === block);

		it.each(own)('runs $title', async (row) => {
			const delivery = sign(row);
			const result = await deliver(row, delivery);
			expect(result).toMatchObject({ status: 200, body: { received: true }, ended: true });
			expect(result.run).toHaveLength(1);
			const json = result.run?.[0]?.json;
			expect(json).toEqual({
				...expectedOutput(row, delivery),
				payload: JSON.parse(delivery.body.toString()),
				headers: expect.objectContaining({ 'content-type': 'application/json' }),
			});
			expect(JSON.stringify(json)).not.toContain(delivery.headers[row.scheme.header]);

			for (const other of [spacedOut(sign(row, 1)), sign(row, 300), sign(row, -300)]) {
				const { status, run } = await deliver(row, other);
				expect({ status, items: run?.length }).toEqual({ status: 200, items: 1 });
			}
		});

		it.each(own)('refuses every forgery of $title', async (row) => {
			counts.forgeries += await checkForgeries(specimenOf(row), (pin) =>
				hostOf(row.block.provider, pin),
			);
		});
	},
);

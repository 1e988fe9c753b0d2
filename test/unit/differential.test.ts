import { afterAll, describe, expect, it, jest } from '@jest/globals';

import { verifySignature } from '../../nodes/shared/signature';
import { printFigures } from '../figures';
import { SEED } from '../seed';
import { documented, stricter, type Difference } from './differentialList';
import { references, type Opinion, type Reference, type Trial } from './differentialReferences';

/**
 * `verifySignature` against the libraries that its schemes come from, on the same generated
 * deliveries. Every difference has to be on a written list.
 */

/** For a slow machine: the large bodies are hashed by a library in plain JavaScript. */
jest.setTimeout(300_000);

/** How often each outcome came up, by reference. */
const figures = new Map<string, Map<string, number>>();
const BOTH_ACCEPT = 'both accept';
const BOTH_REFUSE = 'both refuse';
const CANNOT_TELL = 'reference takes text only';

function count(reference: string, outcome: string): void {
	const outcomes = figures.get(reference) ?? new Map<string, number>();
	figures.set(reference, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
}

function countOf(reference: string, ...outcomes: string[]): number {
	const counted = figures.get(reference) ?? new Map<string, number>();
	return outcomes.reduce((sum, outcome) => sum + (counted.get(outcome) ?? 0), 0);
}

/** @returns undefined for a difference that is on no list */
async function outcomeOf(
	trial: Trial,
	ours: boolean,
	theirs: Opinion,
): Promise<string | undefined> {
	if (theirs === 'cannotTell') return CANNOT_TELL;
	if (ours === (theirs === 'accepts')) return ours ? BOTH_ACCEPT : BOTH_REFUSE;
	return (await find(ours ? documented : stricter, trial))?.name;
}

async function find(list: readonly Difference[], trial: Trial): Promise<Difference | undefined> {
	for (const difference of list) if (await difference.applies(trial)) return difference;
	return undefined;
}

async function compare({ name, trials }: Reference): Promise<void> {
	let number = 0;
	for (const { plan, trial } of trials(SEED)) {
		const verdict = verifySignature(trial.request, [trial.scheme], trial.options);
		const theirs = await trial.ask();
		const outcome = await outcomeOf(trial, verdict.valid, theirs);
		if (outcome === undefined) {
			const shown = JSON.stringify({ plan, headers: trial.request.headers }, undefined, '  ');
			throw new Error(
				`we ${verdict.valid ? 'accept' : `refuse (${verdict.reason})`}, ${name} ${theirs}: TEST_SEED=${SEED}, case ${number}\n${shown}`,
			);
		}
		count(name, outcome);
		number++;
	}
}

const differences = [...stricter, ...documented].map(({ name }) => name);

describe('generated deliveries', () => {
	it.each(references)('get the verdict of $name', async (reference) => {
		await compare(reference);
		const { name } = reference;
		const compared = countOf(name, BOTH_ACCEPT, BOTH_REFUSE, ...differences);
		// Among nothing but forgeries, a verifier that refuses everything would agree.
		expect(countOf(name, BOTH_ACCEPT)).toBeGreaterThanOrEqual(0.3 * compared);
		expect(countOf(name, BOTH_REFUSE)).toBeGreaterThanOrEqual(0.2 * compared);
	});

	it('are at least 20,000, and show every listed difference', () => {
		const total = (...outcomes: string[]) =>
			references.reduce((sum, { name }) => sum + countOf(name, ...outcomes), 0);
		expect(total(BOTH_ACCEPT, BOTH_REFUSE, ...differences)).toBeGreaterThanOrEqual(20_000);
		expect(differences.filter((difference) => total(difference) === 0)).toEqual([]);
	});
});

afterAll(() => {
	const row = (label: string, ...outcomes: string[]) => [
		label,
		...references.map(({ name }) => String(countOf(name, ...outcomes))),
	];
	printFigures(`Signatures compared with other libraries (TEST_SEED=${SEED})`, [
		['', ...references.map(({ name }) => name)],
		row('deliveries', CANNOT_TELL, BOTH_ACCEPT, BOTH_REFUSE, ...differences),
		row(BOTH_ACCEPT, BOTH_ACCEPT),
		row(BOTH_REFUSE, BOTH_REFUSE),
		row(CANNOT_TELL, CANNOT_TELL),
		...stricter.map(({ name }) => row(`we refuse: ${name}`, name)),
		...documented.map(({ name }) => row(`we accept: ${name}`, name)),
	]);
	printFigures(
		'Why',
		[...stricter, ...documented].map(({ name, reason }) => [name, reason]),
	);
});

/** Run under the pinned n8n's Node by `growth.ts`: the dedupe memory at several fillings. */
import type * as DeduplicatorModule from '../nodes/shared/delivery/deduplicator';
import { growthInput } from './growth';
import { loadHostModules } from './support/hostModules';
import { interleave, type Contender } from './support/interleave';

const { place, rounds, fillings, batch } = growthInput.parse(JSON.parse(process.argv[2] ?? ''));
const host = loadHostModules(place);
const { Deduplicator } = host.ownModule<typeof DeduplicatorModule>(
	'nodes/shared/delivery/deduplicator.js',
);

let count = 0;
const makeKeys = (amount: number) =>
	Array.from({ length: amount }, () => JSON.stringify(['workflow', 'node', `evt_${++count}`]));

/** An answer that has already been sent with 200. */
const answer = {
	statusCode: 200,
	writableEnded: true,
	once: (_event: 'finish', listener: () => void) => listener(),
};

const contenders = fillings.map(
	(filling): Contender<string[]> => ({
		name: String(filling),
		prepare: (keys) => {
			const memory = new Deduplicator();
			for (const key of makeKeys(filling)) memory.see(key, answer);
			return () => keys.every((key) => memory.see(key, answer) === 'new');
		},
	}),
);

async function main(): Promise<void> {
	process.send?.(
		await interleave(contenders, { warmUp: 2, rounds, inputs: () => [makeKeys(batch)] }),
	);
	process.disconnect?.();
}

void main();

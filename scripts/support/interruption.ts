import { Interrupted } from '../../testkit/command';

/** Rejects at the first signal to end. */
export function interruption(): Promise<never> {
	return new Promise((_resolve, reject) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
			process.once(signal, () => reject(new Interrupted(signal)));
		}
	});
}

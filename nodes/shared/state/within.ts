import { sleep } from 'n8n-workflow';

const LOOK_MS = 50;

/** Waits until work has ended, well or not, or the time is over. (n8n's `sleep` cannot be canceled.) */
export async function within(work: Promise<unknown>, limitMs: number): Promise<void> {
	let ended = false;
	const end = () => void (ended = true);
	work.then(end, end);
	for (let waited = 0; !ended && waited < limitMs; waited += LOOK_MS) {
		await Promise.race([work.catch(() => undefined), sleep(LOOK_MS)]);
	}
}

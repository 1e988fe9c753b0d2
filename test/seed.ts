/**
 * Seed of everything that is generated in a test: a fixed one, unless `TEST_SEED` asks for another
 * (a number, or `random`). Tests print it with their figures, so that a run can be repeated.
 */
export const SEED = readSeed(process.env['TEST_SEED']);

function readSeed(text: string | undefined): number {
	if (text === undefined || text === '') return 20_260_102;
	if (text === 'random') return Math.floor(Math.random() * 2 ** 31);
	const seed = Number(text);
	if (Number.isSafeInteger(seed)) return seed;
	throw new Error(`TEST_SEED has to be a whole number or "random", not "${text}"`);
}

import type { Locator, Page } from 'playwright-core';

/** Where something is on the screen. */
export type Box = NonNullable<Awaited<ReturnType<Locator['boundingBox']>>>;

/** The nodes on the canvas, and the notes with each of their paragraphs. */
export interface Canvas {
	readonly nodes: readonly Box[];
	readonly notes: ReadonlyArray<{ box: Box; paragraphs: readonly Box[] }>;
}

/** Reads the canvas once all of it is there. */
export async function readCanvas(
	page: Page,
	count: { nodes: number; notes: number },
): Promise<Canvas> {
	const nodes = page.locator('[data-test-id="canvas-node"]:not([data-node-type$=".stickyNote"])');
	const notes = page.locator('[data-test-id="sticky"]');
	await nodes.nth(count.nodes - 1).waitFor();
	await notes.nth(count.notes - 1).waitFor();
	return {
		nodes: await boxesOf(nodes),
		notes: await Promise.all(
			(await notes.all()).map(async (note) => ({
				box: await boxOf(note),
				paragraphs: await boxesOf(note.locator(':is(h2, p, li)')),
			})),
		),
	};
}

/** Whether one lies over the other. */
export function overlap(one: Box, two: Box): boolean {
	return (
		one.x < two.x + two.width &&
		two.x < one.x + one.width &&
		one.y < two.y + two.height &&
		two.y < one.y + one.height
	);
}

async function boxesOf(elements: Locator): Promise<Box[]> {
	return await Promise.all((await elements.all()).map(boxOf));
}

async function boxOf(element: Locator): Promise<Box> {
	const box = await element.boundingBox();
	if (box === null) throw new Error('It is not on the screen');
	return box;
}

import type { Tell } from './notice.js';

interface CopyProps {
	text: string;
	/** What is copied, as the end of a sentence: "the API key of Metigan". */
	what: string;
	tell: Tell;
}

/** A button that puts a text into the clipboard. */
export function Copy({ text, what, tell }: CopyProps) {
	async function copy(): Promise<void> {
		try {
			await navigator.clipboard.writeText(text);
			tell({ answer: text }, `Copied ${what}.`);
		} catch {
			tell({ error: `The browser did not let the page copy ${what}.` }, '');
		}
	}
	return (
		<button type="button" onClick={() => void copy()} aria-label={`Copy ${what}`}>
			Copy
		</button>
	);
}

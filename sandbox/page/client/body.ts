import { useEffect, useState } from 'preact/hooks';
import { control } from './api.js';
import type { Draft } from './draft.js';

/** The data of an event, while it is edited. */
export interface Body {
	text: string;
	/** What is wrong with the text. */
	flaw: string | undefined;
	edit(text: string): void;
	reset(): void;
	/** The edited data; nothing where it is the sample, which the sandbox makes anew for each event. */
	read(): { answer: { edited?: unknown } } | { error: string };
}

/** The event's data as text, beginning with the documented sample. */
export function useBody({ provider, event, envelope }: Draft): Body {
	const [text, setText] = useState('');
	const [sample, setSample] = useState('');

	useEffect(() => {
		if (event === '' || envelope === '') return;
		let current = true;
		const query = new URLSearchParams({ provider, event, envelope });
		void control<{ data: unknown }>('GET', `/sample?${query.toString()}`).then((outcome) => {
			if (!current || 'error' in outcome) return;
			const written = JSON.stringify(outcome.answer.data, undefined, 2);
			setSample(written);
			setText(written);
		});
		return () => {
			current = false;
		};
	}, [provider, event, envelope]);

	const flaw = flawOf(text);
	return {
		text,
		flaw,
		edit: setText,
		reset: () => setText(sample),
		read: () => {
			if (flaw !== undefined) return { error: flaw };
			return { answer: text === sample ? {} : { edited: JSON.parse(text) } };
		},
	};
}

function flawOf(text: string): string | undefined {
	if (text === '') return undefined;
	try {
		JSON.parse(text);
		return undefined;
	} catch (error) {
		return `The data is not JSON: ${error instanceof Error ? error.message : String(error)}`;
	}
}

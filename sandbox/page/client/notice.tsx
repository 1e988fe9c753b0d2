import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Outcome } from './api.js';

/** Shows the outcome of an action: `done` if it worked, otherwise the reason. */
export type Tell = <T>(outcome: Outcome<T>, done: string | ((answer: T) => string)) => void;

/** A line with the outcome of the last action. */
export function useNotice(): { notice: ComponentChild; tell: Tell } {
	const [{ text, failed }, setNotice] = useState({ text: '', failed: false });
	return {
		notice: (
			<>
				<p role="status" class="notice">
					{failed ? '' : text}
				</p>
				<p role="alert" class="notice failed">
					{failed ? text : ''}
				</p>
			</>
		),
		tell: (outcome, done) => {
			if ('error' in outcome) setNotice({ text: outcome.error, failed: true });
			else {
				const words = typeof done === 'string' ? done : done(outcome.answer);
				setNotice({ text: words, failed: false });
			}
		},
	};
}

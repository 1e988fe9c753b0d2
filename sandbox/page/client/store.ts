import { useEffect, useState } from 'preact/hooks';
import type { Account, Entry, PageChange, PageState } from '../types.js';

/** How many entries are shown; more would make the browser slow. */
const MOST_ENTRIES = 200;
/** How long to wait before connecting again if the browser has given up. */
const RECONNECT_MS = 1000;

/** What the page shows. */
export interface View {
	connected: boolean;
	account: Account | undefined;
	/** Newest first. */
	entries: readonly Entry[];
}

/** Follows the sandbox: gets its whole state at each connection, and reconnects by itself. */
export function useSandbox(): View {
	const [view, setView] = useState<View>({ connected: false, account: undefined, entries: [] });

	useEffect(() => {
		let source: EventSource | undefined;
		let timer: number | undefined;

		function connect(): void {
			source = new EventSource('/_control/stream');
			source.addEventListener('state', ({ data }: MessageEvent<string>) => {
				const { account, entries }: PageState = JSON.parse(data);
				setView({ connected: true, account, entries: newest([], entries) });
			});
			source.addEventListener('change', ({ data }: MessageEvent<string>) => {
				const { account, entries }: PageChange = JSON.parse(data);
				setView((before) => ({
					connected: true,
					account: account ?? before.account,
					entries: newest(before.entries, entries),
				}));
			});
			source.addEventListener('error', () => {
				setView((before) => ({ ...before, connected: false }));
				if (source?.readyState === EventSource.CLOSED) timer = setTimeout(connect, RECONNECT_MS);
			});
		}

		connect();
		return () => {
			clearTimeout(timer);
			source?.close();
		};
	}, []);

	return view;
}

/** The newest entries, newest first; an entry replaces the one with its key. */
function newest(before: readonly Entry[], changed: readonly Entry[]): Entry[] {
	const byKey = new Map(before.map((entry) => [entry.key, entry]));
	for (const entry of changed) byKey.set(entry.key, entry);
	return [...byKey.values()].sort((a, b) => b.key - a.key).slice(0, MOST_ENTRIES);
}

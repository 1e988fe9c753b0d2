import { EventSource } from 'eventsource';
import { LONGEST_LOG } from '../../sandbox/page/feed';
import type { Entry, PageChange, PageState } from '../../sandbox/page/types';
import type { SandboxClient } from './sandboxClient';

/** See {@link follow}. */
export interface Follower {
	/** How many existing entries to show first. */
	last: number;
	show(entry: Entry): void;
	/** Reports that the sandbox is gone, or back. */
	tell(news: string): void;
	/** Resolves when following is to end. */
	ended: Promise<void>;
}

/**
 * Shows entries of the log as they come: each when it begins, unless it is over by then, and when it is
 * over. Waits for a sandbox that was ended, and goes on with it when it is there again.
 *
 * @throws CommandFailure where no sandbox answers at first, or another program answers later
 */
export async function follow(
	client: SandboxClient,
	{ last, show, tell, ended }: Follower,
): Promise<void> {
	await client.call('GET', '/log');
	const seen = new Seen();
	let connections = 0;
	const source = new EventSource(client.address('/stream'));
	try {
		await new Promise<void>((resolve, reject) => {
			ended.then(resolve, reject);
			source.addEventListener('state', ({ data }: { data: string }) => {
				const { entries }: PageState = JSON.parse(data);
				connections += 1;
				const news = entries.filter((entry) => seen.isNews(entry));
				for (const entry of connections === 1 ? news.slice(-last) : news) show(entry);
			});
			source.addEventListener('change', ({ data }: { data: string }) => {
				const { entries }: PageChange = JSON.parse(data);
				for (const entry of entries) if (seen.isNews(entry)) show(entry);
			});
			let gone = false;
			source.addEventListener('open', () => {
				if (gone) tell('The sandbox is there again.');
				gone = false;
			});
			source.addEventListener('error', () => {
				if (source.readyState === EventSource.CLOSED) reject(client.notTheSandbox());
				else if (!gone) tell('The sandbox has ended; waiting for it to start again.');
				gone = true;
			});
		});
	} finally {
		source.close();
	}
}

/** Remembers what was shown, as long as the sandbox itself keeps it. */
class Seen {
	/** Whether each was over, by key and time, because a restarted sandbox counts its keys from 1. */
	private readonly entries = new Map<string, boolean>();

	isNews({ key, at, result }: Entry): boolean {
		const id = `${key} ${at}`;
		const over = result !== undefined;
		const before = this.entries.get(id);
		if (before === true || before === over) return false;
		this.entries.set(id, over);
		const [oldest] = this.entries.keys();
		if (this.entries.size > LONGEST_LOG && oldest !== undefined) this.entries.delete(oldest);
		return true;
	}
}

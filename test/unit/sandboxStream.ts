import type { Sandbox } from '../../sandbox';
import type { Account, Entry, PageChange, PageState } from '../../sandbox/page/types';
import { until } from '../../testkit/n8n-host/poll';

const WAIT_MS = 10_000;

/** What a page of the sandbox gets to know, by server-sent events. */
export class Stream {
	account: Account | undefined;
	/** By their keys, oldest first. */
	readonly entries = new Map<number, Entry>();
	/** How often the whole state came. */
	states = 0;
	changes = 0;
	private readonly closing = new AbortController();

	private constructor() {}

	/** Ends when the whole state has come. */
	static async open({ url }: Sandbox): Promise<Stream> {
		const stream = new Stream();
		const response = await fetch(`${url}/_control/stream`, { signal: stream.closing.signal });
		if (response.body === null) throw new Error('no stream');
		// However the connection ends, the test says what it expected of it.
		stream.read(response.body.pipeThrough(new TextDecoderStream())).catch(() => {});
		await stream.shows('the whole state', () => stream.states > 0);
		return stream;
	}

	async shows(what: string, holds: () => boolean): Promise<void> {
		await until(what, WAIT_MS, () => holds() || undefined);
	}

	/** Whether an entry says this, as JSON. */
	has(text: string): boolean {
		return JSON.stringify([...this.entries.values()]).includes(text);
	}

	close(): void {
		this.closing.abort();
	}

	private async read(chunks: AsyncIterable<string>): Promise<void> {
		let text = '';
		for await (const chunk of chunks) {
			const messages = `${text}${chunk}`.split('\n\n');
			text = messages.pop() ?? '';
			for (const message of messages) this.take(message);
		}
	}

	private take(message: string): void {
		const name = /^event: ?(.*)$/m.exec(message)?.[1];
		const data = /^data: ?(.*)$/m.exec(message)?.[1] ?? '';
		if (name === 'state') {
			const { account, entries }: PageState = JSON.parse(data);
			this.states += 1;
			this.account = account;
			this.entries.clear();
			this.put(entries);
		} else if (name === 'change') {
			const { account, entries }: PageChange = JSON.parse(data);
			this.changes += 1;
			this.account = account ?? this.account;
			this.put(entries);
		}
	}

	private put(entries: readonly Entry[]): void {
		for (const entry of entries) this.entries.set(entry.key, entry);
	}
}

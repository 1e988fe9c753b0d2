import { createServer, type Server, type Socket } from 'node:net';

/** As much of Redis as the template "Exactly-once intake" uses; test/queue runs it with a real one. */
export class RedisStandIn {
	private readonly values = new Map<string, string>();

	private readonly lists = new Map<string, string[]>();

	private readonly server: Server;

	private readonly sockets = new Set<Socket>();

	constructor() {
		this.server = createServer((socket) => {
			this.sockets.add(socket);
			let unread = '';
			socket.setEncoding('utf8');
			socket.on('data', (chunk: string) => {
				unread += chunk;
				for (;;) {
					const { words, length } = readCommand(unread);
					if (words === undefined) break;
					unread = unread.slice(length);
					socket.write(this.answer(words));
				}
			});
		});
	}

	/** Listens on the loopback address. @returns its port */
	async open(): Promise<number> {
		await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		const address = this.server.address();
		if (address === null || typeof address === 'string') throw new Error('No TCP port was given');
		return address.port;
	}

	async close(): Promise<void> {
		for (const socket of this.sockets) socket.destroy();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private answer([command = '', key = '', value = '']: string[]): string {
		switch (command.toUpperCase()) {
			case 'RPUSH': {
				const list = [...(this.lists.get(key) ?? []), value];
				this.lists.set(key, list);
				return `:${list.length}\r\n`;
			}
			case 'LRANGE': {
				const list = this.lists.get(key) ?? [];
				return `*${list.length}\r\n${list.map(bulk).join('')}`;
			}
			case 'GET': {
				const found = this.values.get(key);
				return found === undefined ? '$-1\r\n' : bulk(found);
			}
			case 'SET':
				this.values.set(key, value);
				return '+OK\r\n';
			case 'EXPIRE':
				return ':1\r\n';
			case 'TTL':
				return ':-1\r\n';
			default:
				return '+OK\r\n';
		}
	}
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

/** Reads a command that is complete; keys and values of these tests are ASCII. */
function readCommand(text: string): { words?: string[]; length: number } {
	const head = /^\*(\d+)\r\n/.exec(text);
	if (head === null) return { length: 0 };
	const words: string[] = [];
	let at = head[0].length;
	for (let left = Number(head[1]); left > 0; left -= 1) {
		const size = /^\$(\d+)\r\n/.exec(text.slice(at));
		if (size === null) return { length: 0 };
		const start = at + size[0].length;
		at = start + Number(size[1]) + 2;
		if (text.length < at) return { length: 0 };
		words.push(text.slice(start, at - 2));
	}
	return { words, length: at };
}

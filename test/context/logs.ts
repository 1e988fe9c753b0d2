import { jest } from '@jest/globals';
import { Logger } from '@n8n/backend-common';
import { Container } from '@n8n/di';

/** What nodes write to n8n's log from now on at a level, as long as no mock is restored. */
export function recordLog(level: 'info' | 'warn'): string[] {
	const messages: string[] = [];
	jest.spyOn(Container.get(Logger), level).mockImplementation((message) => {
		messages.push(message);
	});
	return messages;
}

/** The warnings that nodes write to n8n's log from now on. */
export function recordWarnings(): string[] {
	return recordLog('warn');
}

/** How a person who builds a workflow can make each event of an email happen. */
export const EMAIL_HOW_TO = {
	sent: 'Send an email to yourself',
	delivered: 'Send an email to a mailbox of your own',
	opened: 'Open an email that you sent to yourself, with its images',
	clicked: 'Click a tracked link in an email that you sent to yourself',
	bounced:
		'Send an email to an address that does not exist, at a domain of your own or a large mail service; it bounces within minutes',
	complained:
		'Mark an email that you sent to yourself as spam, at Outlook.com or Yahoo (Gmail does not report it); it can take a day',
	unsubscribed: 'Click the unsubscribe link in an email that you sent to yourself',
} as const;

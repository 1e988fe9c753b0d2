import type { Operation } from '../../provider';
import { sign } from './sign';
import { verify } from './verify';

/** Signatures of payloads. The payload is passed on with the result, for the next node to use unchanged. */
export const signatureOperations: readonly Operation[] = [sign, verify];

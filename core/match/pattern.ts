/**
 * The largest pattern, in instructions of RE2's program, of which a letter is one and a repetition as many as it repeats. An engine of that kind takes
 * time in proportion to the text times this: what a caller sends is bounded, and so this must be, too.
 */
export const LARGEST_PATTERN = 512

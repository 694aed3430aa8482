/*
 * Texts in answers.
 *
 * protobuf-c declares the texts of messages `char *` although nobody writes to those of an answer.
 * What outlives the call (the directory's texts, constants, the arena's) is lent, not copied.
 *
 * Threads: pure.
 */
#ifndef VG_RPC_HANDLERS_ANSWER_TEXT_H
#define VG_RPC_HANDLERS_ANSWER_TEXT_H

/* `text` as the member of a message; NULL stays NULL. */
static inline char *vg_answer_text(const char *text)
{
    union {
        const char *lent;
        char *member;
    } both = { text };
    return both.member;
}

#endif

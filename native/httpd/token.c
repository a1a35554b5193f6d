/* native/httpd/token.c - HMAC (RFC 2104) with apr-util's SHA-1: forging one needs its key, not a collision. */
#include "token.h"

#include <apr_general.h>
#include <apr_sha1.h>
#include <apr_strings.h>
#include <string.h>

#define KEPT "mod_jk:token"
#define BLOCK 64 /* bytes of SHA-1 */

const uint8_t *jk_token_key(apr_pool_t *process)
{
    void *kept = NULL;
    uint8_t *key;

    if (apr_pool_userdata_get(&kept, KEPT, process) == APR_SUCCESS && kept)
        return kept;
    key = apr_palloc(process, JK_TOKEN_KEY);
    if (apr_generate_random_bytes(key, JK_TOKEN_KEY) != APR_SUCCESS)
        return NULL;
    apr_pool_userdata_set(key, apr_pstrdup(process, KEPT), NULL, process); /* its name must outlive the module, too */
    return key;
}

static void begin(apr_sha1_ctx_t *sha, const uint8_t *key, uint8_t pad)
{
    unsigned char block[BLOCK];

    memset(block, pad, sizeof block);
    for (int i = 0; i < JK_TOKEN_KEY; i++)
        block[i] ^= key[i];
    apr_sha1_init(sha);
    apr_sha1_update_binary(sha, block, sizeof block);
}

/* The NUL behind a name parts it from what follows. */
static void add(apr_sha1_ctx_t *sha, const char *text)
{
    apr_sha1_update_binary(sha, (const unsigned char *)text, (unsigned)strlen(text) + 1);
}

const char *jk_token_make(apr_pool_t *p, const uint8_t *key, const char *worker, const char *user)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    char *text = apr_palloc(p, 2 * sizeof digest + 1);
    apr_sha1_ctx_t sha;

    if (key == NULL)
        return "";
    begin(&sha, key, 0x36);
    add(&sha, "mod_jk status");
    add(&sha, worker);
    add(&sha, user ? user : "");
    apr_sha1_final(digest, &sha);
    begin(&sha, key, 0x5c);
    apr_sha1_update_binary(&sha, digest, sizeof digest);
    apr_sha1_final(digest, &sha);
    for (size_t i = 0; i < sizeof digest; i++)
        apr_snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

bool jk_token_is(const char *token, const char *sent)
{
    size_t n = strlen(token);
    unsigned differs = 0;

    if (sent == NULL || n == 0 || strlen(sent) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(token[i] ^ sent[i]);
    return differs == 0;
}

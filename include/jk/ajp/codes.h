/* include/jk/ajp/codes.h - the numbers that AJP13 uses for methods and header names, as tables (spec: ajp.md 2-5).
 *
 * The same rows serve the module (names -> codes on the way out, codes -> names on the way back) and the project's own
 * backend, which reads them the other way round. */
#ifndef JK_AJP_CODES_H
#define JK_AJP_CODES_H

#include "jk/base/span.h"

/* Message types: the first payload byte. */
enum {
    JK_AJP_FORWARD_REQUEST = 2,
    JK_AJP_SEND_BODY_CHUNK = 3,
    JK_AJP_SEND_HEADERS = 4,
    JK_AJP_END_RESPONSE = 5,
    JK_AJP_GET_BODY_CHUNK = 6,
    JK_AJP_CPONG = 9,
    JK_AJP_CPING = 10
};

/* Attribute codes of a FORWARD_REQUEST. */
enum {
    JK_AJP_ATTR_REMOTE_USER = 0x03,
    JK_AJP_ATTR_AUTH_TYPE = 0x04,
    JK_AJP_ATTR_QUERY = 0x05,
    JK_AJP_ATTR_ROUTE = 0x06,
    JK_AJP_ATTR_SSL_CERT = 0x07,
    JK_AJP_ATTR_SSL_CIPHER = 0x08,
    JK_AJP_ATTR_SSL_SESSION = 0x09,
    JK_AJP_ATTR_NAMED = 0x0A,
    JK_AJP_ATTR_SSL_KEY_SIZE = 0x0B,
    JK_AJP_ATTR_SECRET = 0x0C,
    JK_AJP_ATTR_STORED_METHOD = 0x0D,
    JK_AJP_ATTR_END = 0xFF
};

/* Response headers that somebody asks for by code. */
enum {
    JK_AJP_RESPONSE_CONTENT_TYPE = 0xA001,
    JK_AJP_RESPONSE_CONTENT_LENGTH = 0xA003,
    JK_AJP_RESPONSE_LAST_MODIFIED = 0xA005,
    JK_AJP_RESPONSE_LOCATION = 0xA006
};

#define JK_AJP_METHOD_STORED 0xFF

/* What must be known of a header to forward it. */
typedef enum jk_header_kind {
    JK_HEADER_PLAIN,
    JK_HEADER_LENGTH, /* Content-Length: must agree with the body that is sent */
    JK_HEADER_HOP     /* hop-by-hop (RFC 9110, 7.6.1): httpd's affair, never forwarded */
} jk_header_kind;

typedef struct jk_header_code {
    uint16_t code; /* A001 .. A00E of a request, A001 .. A00B of a response, or 0: the name is sent as a string */
    jk_header_kind kind;
} jk_header_code;

/* The code of a method, exact and case-sensitive; JK_AJP_METHOD_STORED for all others. */
uint8_t jk_codes_method(jk_span method);

/* The method of a code; NULL for an unknown one and for JK_AJP_METHOD_STORED. */
const char *jk_codes_method_name(unsigned code);

/* What is known of a header's name, whatever its case. */
jk_header_code jk_codes_request_header(jk_span name);
jk_header_code jk_codes_response_header(jk_span name);

/* The request header of a code (A001 ..); absent for an unknown one. */
jk_span jk_codes_request_header_name(unsigned code);

/* The response header of a code (A001 .. A00B); absent for an unknown one, A000 among them. */
jk_span jk_codes_response_header_name(unsigned code);

#endif

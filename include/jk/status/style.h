/* include/jk/status/style.h - what the Content-Security-Policy must allow: the page's own stylesheet, which lies in it, and no other. */
#ifndef JK_STATUS_STYLE_H
#define JK_STATUS_STYLE_H

/* Of the bytes between <style> and </style>. tests/integration/test_statuspage.py says what it must be. */
#define JK_STYLE_HASH "'sha256-LBfgrg3NZan3v9y8+jBTgczVJk3JY5WiNrt0FXCP9Fc='"

#endif

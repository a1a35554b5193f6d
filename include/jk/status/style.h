/* include/jk/status/style.h - what the Content-Security-Policy must allow: the page's own stylesheet, which lies in it, and no other. */
#ifndef JK_STATUS_STYLE_H
#define JK_STATUS_STYLE_H

/* Of the bytes between <style> and </style>. tests/integration/test_statuspage.py says what it must be. */
#define JK_STYLE_HASH "'sha256-BK8bmqVdlgTxLK5XSB9p5lAEGZBclz5fD/8Lnag9heU='"

#endif

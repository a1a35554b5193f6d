/* native/httpd/directive_rows.h - the one table of directives. Pure: it knows neither httpd nor a type, so that a program which
 * writes the manual reads it as well as directives.c does. Define ROW and include it, as often as you like:
 *
 *   #define ROW(name, args, context, standard, inherit, home, setter, help) { #name, #args, #context, standard, #inherit, help },
 *
 * name      as httpd.conf spells it (in any case)
 * args      TAKE1 one word, TAKE12 one or two, FLAG On or Off, RAW_ARGS the rest of the line
 * context   GLOBAL outside of all sections, SERVER also in <VirtualHost>, LOCATION also in <Location> and its like; never in .htaccess
 * standard  what holds where the main server does not say; "" is nothing
 * inherit   WHOLE there is but one for all servers, UNSET the main server's where the virtual host does not say, MERGED by a rule of
 *           its own (directives.md 3, 6), COPIED with JkMountCopy alone
 * home      where it lies in struct jk_server, for the merge: NAME(field) a text, whose standard is its value; TEXT(field) another text,
 *           NULL where not set; NUMBER(field), -1 where not set; or ELSEWHERE
 * setter    a function of directives.c; set_name and set_flag are for all that need no look at their word
 * help      one line; httpd shows it where the arguments are wrong */
#ifndef ROW
#define ROW(...)
#endif

/* ---- workers and mounts ---- */
ROW(JkWorkersFile, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_workers_file, "the file with the workers' properties")
ROW(JkWorkerProperty, RAW_ARGS, GLOBAL, "", WHOLE, ELSEWHERE, add_property, "one line of a workers file")
ROW(JkMount, TAKE12, LOCATION, "", COPIED, ELSEWHERE, set_mount, "a URI pattern and the worker that answers it")
ROW(JkUnMount, TAKE12, LOCATION, "", COPIED, ELSEWHERE, set_unmount, "a URI pattern that a worker (or *) does not answer")
ROW(JkMountCopy, TAKE1, SERVER, "Off", WHOLE, ELSEWHERE, set_mount_copy, "On, Off or All: virtual hosts take over the main server's mounts")
ROW(JkMountFile, TAKE1, SERVER, "", COPIED, ELSEWHERE, set_mount_file, "a file with mounts: /pattern=worker")
ROW(JkMountFileReload, TAKE1, SERVER, "60", UNSET, NUMBER(mount_reload), set_mount_reload, "seconds between two looks at that file; 0: none")
ROW(JkAutoAlias, TAKE1, SERVER, "", COPIED, ELSEWHERE, set_alias,
    "the directory of the container's applications: httpd serves their static files")
ROW(JkStripSession, TAKE12, SERVER, "Off", UNSET, TEXT(strip), set_strip,
    "On or Off: session parameters are cut off from URIs that are not mapped")
ROW(JkStrict, FLAG, GLOBAL, "Off", WHOLE, ELSEWHERE, set_strict, "On: findings that could be lived with refuse the configuration")
ROW(JkShmFile, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_shm_file, "accepted; shared memory needs no file here")
ROW(JkShmSize, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_shm_size,
    "KB of shared memory, for more workers than 1024; unset: it sizes itself")
ROW(JkStateFile, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_state_file, "a file that keeps what was changed at run time over a full stop")
ROW(JkPark, TAKE1, SERVER, "Auto", UNSET, NUMBER(park), set_park, "Auto, On or Off: a request that waits holds no thread; Auto: where the MPM can")
ROW(JkParkAfter, TAKE1, SERVER, "10", UNSET, NUMBER(park_after), set_park_after,
    "milliseconds that a thread waits before its request waits without it")
ROW(JkParkMax, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_park_max,
    "how many requests per process may wait without a thread; unset: 2 x ThreadsPerChild")
ROW(JkWatchdogInterval, TAKE1, GLOBAL, "", WHOLE, ELSEWHERE, set_watchdog,
    "seconds between two maintenances in the background; 0: nothing is done there; unset: worker.maintain says it")

/* ---- what is logged ---- */
ROW(JkLogFile, TAKE1, SERVER, "logs/mod_jk.log", UNSET, NAME(log_file), set_log_file, "the log's file below ServerRoot, or |program")
ROW(JkLogLevel, TAKE1, SERVER, "info", UNSET, NUMBER(log_level), set_log_level, "trace, debug, info, warn, error or emerg")
ROW(JkLogStampFormat, TAKE1, SERVER, "[%a %b %d %H:%M:%S.%Q %Y] ", UNSET, NAME(log_stamp), set_name,
    "the strftime format of a line's time; %Q: milliseconds, %q: microseconds")
ROW(JkRequestLogFormat, TAKE1, SERVER, "", UNSET, TEXT(request_log), set_request_log,
    "a line for each request: %b %B %H %m %p %q %r %R %s %T %U %v %V %w")
ROW(JkRequestIdIndicator, TAKE1, SERVER, "UNIQUE_ID", UNSET, NAME(env[JK_ENV_REQUEST_ID]), set_name,
    "the environment variable with the request's id")
ROW(JkNotes, TAKE1, GLOBAL, "Auto", WHOLE, ELSEWHERE, set_notes,
    "On, Off or Auto: the notes JK_LB_FIRST_x, JK_LB_LAST_x and JK_T_x; Auto: where the configuration names one")

/* ---- what a request carries ---- */
ROW(JkOptions, RAW_ARGS, SERVER, "ForwardURIProxy ForwardKeySize", MERGED, ELSEWHERE, set_options, "options, each with + or - before it")
ROW(JkEnvVar, TAKE12, SERVER, "", MERGED, ELSEWHERE, add_env_var,
    "an environment variable to be sent as a request attribute, and its value where it is not set")
ROW(JkWorkerIndicator, TAKE1, SERVER, "JK_WORKER_NAME", UNSET, NAME(env[JK_ENV_WORKER]), set_name,
    "the environment variable with the worker's name for SetHandler jakarta-servlet")
ROW(JkRemoteAddrIndicator, TAKE1, SERVER, "JK_REMOTE_ADDR", UNSET, NAME(env[JK_ENV_REMOTE_ADDR]), set_name,
    "the environment variable that replaces the client's address")
ROW(JkRemotePortIndicator, TAKE1, SERVER, "JK_REMOTE_PORT", UNSET, NAME(env[JK_ENV_REMOTE_PORT]), set_name,
    "the environment variable that replaces the client's port")
ROW(JkRemoteHostIndicator, TAKE1, SERVER, "JK_REMOTE_HOST", UNSET, NAME(env[JK_ENV_REMOTE_HOST]), set_name,
    "the environment variable that replaces the client's host name")
ROW(JkRemoteUserIndicator, TAKE1, SERVER, "JK_REMOTE_USER", UNSET, NAME(env[JK_ENV_REMOTE_USER]), set_name,
    "the environment variable that replaces the user's name")
ROW(JkAuthTypeIndicator, TAKE1, SERVER, "JK_AUTH_TYPE", UNSET, NAME(env[JK_ENV_AUTH_TYPE]), set_name,
    "the environment variable that replaces the kind of authentication")
ROW(JkLocalNameIndicator, TAKE1, SERVER, "JK_LOCAL_NAME", UNSET, NAME(env[JK_ENV_LOCAL_NAME]), set_name,
    "the environment variable that replaces this server's name")
ROW(JkLocalAddrIndicator, TAKE1, SERVER, "JK_LOCAL_ADDR", UNSET, NAME(env[JK_ENV_LOCAL_ADDR]), set_name,
    "the environment variable that replaces this server's address")
ROW(JkLocalPortIndicator, TAKE1, SERVER, "JK_LOCAL_PORT", UNSET, NAME(env[JK_ENV_LOCAL_PORT]), set_name,
    "the environment variable that replaces this server's port")
ROW(JkIgnoreCLIndicator, TAKE1, SERVER, "JK_IGNORE_CL", UNSET, NAME(env[JK_ENV_IGNORE_CL]), set_name,
    "the environment variable that makes the client's Content-Length be ignored")

/* ---- TLS ---- */
ROW(JkExtractSSL, FLAG, SERVER, "On", UNSET, NUMBER(extract_ssl), set_flag, "Off: the container hears nothing of TLS")
ROW(JkHTTPSIndicator, TAKE1, SERVER, "HTTPS", UNSET, NAME(env[JK_ENV_HTTPS]), set_name,
    "the environment variable that is 'on' where the client came by TLS")
ROW(JkSSLPROTOCOLIndicator, TAKE1, SERVER, "SSL_PROTOCOL", UNSET, NAME(env[JK_ENV_SSL_PROTOCOL]), set_name,
    "the environment variable with the version of TLS")
ROW(JkCERTSIndicator, TAKE1, SERVER, "SSL_CLIENT_CERT", UNSET, NAME(env[JK_ENV_SSL_CERT]), set_name,
    "the environment variable with the client's certificate (PEM)")
ROW(JkCIPHERIndicator, TAKE1, SERVER, "SSL_CIPHER", UNSET, NAME(env[JK_ENV_SSL_CIPHER]), set_name, "the environment variable with the cipher's name")
ROW(JkSESSIONIndicator, TAKE1, SERVER, "SSL_SESSION_ID", UNSET, NAME(env[JK_ENV_SSL_SESSION]), set_name,
    "the environment variable with the TLS session's id")
ROW(JkKEYSIZEIndicator, TAKE1, SERVER, "SSL_CIPHER_USEKEYSIZE", UNSET, NAME(env[JK_ENV_SSL_KEY_SIZE]), set_name,
    "the environment variable with the bits of the cipher's key")
ROW(JkCERTCHAINPrefix, TAKE1, SERVER, "SSL_CLIENT_CERT_CHAIN_", UNSET, NAME(cert_chain_prefix), set_name,
    "what the names of the variables with the certificate's chain begin with")

#undef ROW

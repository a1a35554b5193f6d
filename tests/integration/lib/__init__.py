"""What the integration tests stand on: a private httpd, a scripted AJP13 peer, a raw HTTP client, a private Tomcat."""

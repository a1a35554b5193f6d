"""A real Tomcat 10 with a private CATALINA_BASE and a web application that says what arrived."""
import os
import shutil
import subprocess
import tempfile

from . import proc

HOME = os.environ.get("CATALINA_HOME", "/usr/share/tomcat10")
JDT = ["/usr/share/java/eclipse-jdt-core.jar", "/usr/share/java/ecj.jar"]

SERVER_XML = """<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1">
  <Service name="Catalina">
    {connectors}
    <Engine name="Catalina" defaultHost="localhost"{route}>
{cluster}      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false" deployOnStartup="false">
        <Context path="" docBase="{base}/echo" />
      </Host>
    </Engine>
  </Service>
</Server>
"""

WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  <servlet>
    <servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
  </servlet>
  <servlet>
    <servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>fork</param-name><param-value>false</param-value></init-param>
  </servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
  <session-config><session-timeout>30</session-timeout></session-config>
  <welcome-file-list><welcome-file>index.jsp</welcome-file></welcome-file-list>
</web-app>
"""

# Compiled at test time where there is a compiler, else not there (echo.jsp is).
APP_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  {more}
</web-app>
"""
SERVLET_XML = """<servlet><servlet-name>echo</servlet-name><servlet-class>Echo</servlet-class></servlet>
  <servlet-mapping><servlet-name>echo</servlet-name><url-pattern>/echo/*</url-pattern></servlet-mapping>"""

# The body of a method that writes the request as JSON; the same in the servlet and in the page.
ECHO = r"""
    java.security.MessageDigest md;
    try { md = java.security.MessageDigest.getInstance("SHA-256"); }
    catch (java.security.NoSuchAlgorithmException e) { throw new IllegalStateException(e); }
    long length = 0;
    byte[] buf = new byte[8192];
    for (int n; (n = request.getInputStream().read(buf)) >= 0; length += n) md.update(buf, 0, n);
    StringBuilder sha = new StringBuilder();
    for (byte b : md.digest()) sha.append(String.format("%02x", b));
    StringBuilder o = new StringBuilder("{");
    o.append("\"method\":").append(q(request.getMethod()));
    o.append(",\"uri\":").append(q(request.getRequestURI()));
    o.append(",\"query\":").append(q(request.getQueryString()));
    o.append(",\"protocol\":").append(q(request.getProtocol()));
    o.append(",\"scheme\":").append(q(request.getScheme()));
    o.append(",\"secure\":").append(request.isSecure());
    o.append(",\"serverName\":").append(q(request.getServerName()));
    o.append(",\"serverPort\":").append(request.getServerPort());
    o.append(",\"remoteUser\":").append(q(request.getRemoteUser()));
    o.append(",\"remoteAddr\":").append(q(request.getRemoteAddr()));
    o.append(",\"remotePort\":").append(request.getRemotePort());
    o.append(",\"localAddr\":").append(q(request.getLocalAddr()));
    o.append(",\"sessionId\":").append(q(request.getParameter("session") == null ? request.getRequestedSessionId()
                                                                                : request.getSession(true).getId()));
    o.append(",\"headers\":[");
    String sep = "";
    for (java.util.Enumeration<String> e = request.getHeaderNames(); e.hasMoreElements();) {
        String name = e.nextElement();
        for (java.util.Enumeration<String> v = request.getHeaders(name); v.hasMoreElements(); sep = ",")
            o.append(sep).append("[").append(q(name)).append(",").append(q(v.nextElement())).append("]");
    }
    o.append("],\"attributes\":{");
    String[] names = { "AJP_SSL_PROTOCOL", "AJP_REMOTE_PORT", "AJP_LOCAL_ADDR", "JK_LB_ACTIVATION",
                       "jakarta.servlet.request.cipher_suite", "jakarta.servlet.request.key_size",
                       "jakarta.servlet.request.ssl_session_id" };
    sep = "";
    for (String name : names) {
        Object value = request.getAttribute(name);
        o.append(sep).append(q(name)).append(":").append(value == null ? "null" : q(value.toString()));
        sep = ",";
    }
    Object certs = request.getAttribute("jakarta.servlet.request.X509Certificate");
    String subject = certs instanceof java.security.cert.X509Certificate[]
        ? ((java.security.cert.X509Certificate[]) certs)[0].getSubjectX500Principal().getName() : null;
    o.append("},\"certSubject\":").append(q(subject));
    o.append(",\"length\":").append(length).append(",\"sha256\":").append(q(sha.toString())).append("}\n");
    response.setContentType("application/json");
    response.setCharacterEncoding("UTF-8");
    response.getWriter().write(o.toString());
"""

QUOTE = r"""
    private static String q(String s) {
        if (s == null) return "null";
        StringBuilder o = new StringBuilder("\"");
        for (char c : s.toCharArray())
            if (c == '"' || c == '\\' || c < 32 || c > 126) o.append(String.format("\\u%04x", (int) c));
            else o.append(c);
        return o.append('"').toString();
    }
"""

SERVLET = """import jakarta.servlet.http.*;
public class Echo extends HttpServlet {
    @Override protected void service(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
""" + ECHO + "    }\n" + QUOTE + "}\n"

PAGES = {
    "index.jsp": '<%@ page contentType="text/html; charset=UTF-8" %><!DOCTYPE html><title>first page</title>\n'
                 '<p>index.jsp: two and two is <%= 2 + 2 %>, path <%= request.getRequestURI() %></p>\n',
    "echo.jsp": "<%!" + QUOTE + "%><%" + ECHO + "%>",
    "user.jsp": "<%!" + QUOTE + "%><%" + ECHO + "%>",
    "hello.txt": "a static file of the container\n",
    "error.jsp": '<% response.sendError(Integer.parseInt(request.getParameter("status"))); %>',
    "big.jsp": '<% for (int i = 0; i < 20000; i++) out.println("line " + i + " of a long page"); %>',
}


def missing():
    """Why a Tomcat cannot be started here, in words; None: it can."""
    if not shutil.which("java"):
        return "java is not installed"
    if not os.path.exists(HOME + "/bin/bootstrap.jar"):
        return f"{HOME} is not there (tomcat10-common)"
    if not os.path.exists(HOME + "/lib/catalina.jar"):
        return "the libraries are not there (libtomcat10-java)"
    if not any(os.path.exists(p) for p in JDT):
        return "the compiler of JSPs is not there (libeclipse-jdt-core-java)"
    return None


class Tomcat:
    """connectors: `port` without a secret, `secret_port` with the secret "s3cret"; `unix`: the path of a Unix socket.
    route: its jvmRoute. cluster: the <Cluster> of its engine (lib/cluster.py). pages: other JSPs than PAGES, and `web`: more of their web.xml.
    connectors: more of them, as XML.
    It may be killed and launched again: ports and files stay."""

    SECRET = "s3cret"

    def __init__(self, route=None, cluster="", pages=None, web="", connectors=()):
        self.base = tempfile.mkdtemp(prefix="jk-tc-", dir="/tmp")
        os.chmod(self.base, 0o755)
        self.port, self.secret_port = proc.free_port(), proc.free_port()
        self.unix = self.base + "/ajp.sock"
        self.route, self.cluster, self.pages, self.web, self.connectors = route, cluster, pages or PAGES, web, list(connectors)
        self.child = None
        self.has_servlet = pages is None and shutil.which("javac") is not None
        for d in ("conf", "logs", "temp", "work", "webapps", "echo/WEB-INF/classes"):
            os.makedirs(f"{self.base}/{d}")
        self._write("logs/out", "")
        self._write_conf()
        self._write_app()

    def _write(self, path, text):
        with open(f"{self.base}/{path}", "w") as f:
            f.write(text)

    def _write_conf(self):
        common = 'protocol="AJP/1.3" maxThreads="50" minSpareThreads="2"'
        connectors = [
            f'<Connector {common} address="127.0.0.1" port="{self.port}" secretRequired="false" tomcatAuthentication="false" />',
            f'<Connector {common} address="127.0.0.1" port="{self.secret_port}" secret="{self.SECRET}" />',
            f'<Connector {common} unixDomainSocketPath="{self.unix}" unixDomainSocketPathPermissions="rwxrwxrwx" secretRequired="false" />',
            *self.connectors,
        ]
        route = f' jvmRoute="{self.route}"' if self.route else ""
        self._write("conf/server.xml", SERVER_XML.format(connectors="\n    ".join(connectors), route=route, base=self.base,
                                                          cluster=self.cluster))
        self._write("conf/web.xml", WEB_XML)
        jars = [f'"{HOME}/lib/*.jar"'] + [f'"{p}"' for p in JDT if os.path.exists(p)][:1]
        self._write("conf/catalina.properties", "common.loader=" + ",".join(jars) + "\nserver.loader=\nshared.loader=\n"
                    "tomcat.util.scan.StandardJarScanFilter.jarsToSkip=*.jar\n")

    def _write_app(self):
        for name, text in self.pages.items():
            self._write("echo/" + name, text)
        self._write("echo/WEB-INF/web.xml", APP_XML.format(more=self.web + (SERVLET_XML if self.has_servlet else "")))
        if self.has_servlet:
            self._write("temp/Echo.java", SERVLET)
            subprocess.run(["javac", "-proc:none", "-cp", f"{HOME}/lib/servlet-api.jar", "-d", f"{self.base}/echo/WEB-INF/classes",
                            f"{self.base}/temp/Echo.java"], check=True, capture_output=True)

    def launch(self):
        argv = ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+UseSerialGC", "-Xmx160m", "-Djava.security.egd=file:/dev/urandom",
                "-Djava.awt.headless=true", f"-Dcatalina.home={HOME}", f"-Dcatalina.base={self.base}", f"-Djava.io.tmpdir={self.base}/temp",
                "-cp", f"{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar", "org.apache.catalina.startup.Bootstrap", "start"]
        with open(self.base + "/logs/out", "ab") as out:
            self.child = proc.spawn(argv, stdout=out, stderr=out)
        return self

    def wait(self, seconds=60):
        def up():
            return self.child.poll() is not None or (proc.accepts(("127.0.0.1", self.port)) and
                                                     proc.accepts(("127.0.0.1", self.secret_port)))
        if not proc.wait_until(up, seconds, pause=0.05) or self.child.poll() is not None:
            words = self.log()
            self.remove()
            raise RuntimeError("Tomcat does not start:\n" + words[-4000:])
        return self

    def log(self):
        with open(self.base + "/logs/out", errors="replace") as f:
            return f.read()

    def kill(self):
        """As a crash: afterwards the kernel has closed all that it had."""
        self.child.kill()
        self.child.wait(15)
        proc.stop(self.child)
        self.child = None

    def remove(self):
        proc.stop(self.child)
        shutil.rmtree(self.base, ignore_errors=True)

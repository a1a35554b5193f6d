"""Real Tomcats, two or more, that replicate their sessions to each other, without multicast, and pages that keep books of what came.

As in Tomcat's own cluster-howto: SimpleTcpCluster, DeltaManager, ReplicationValve, JvmRouteBinderValve; the members are named
(StaticMembershipInterceptor) and watched by TCP (TcpFailureDetector). channelSendOptions=6 is synchronous with an acknowledgement
that the others have applied the change: what a client was told of its session, the other Tomcats know.
"""
import collections
import hashlib
import itertools

from . import client, proc, tomcat

CLUSTER_XML = """      <Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="6" channelStartOptions="3">
        <Manager className="org.apache.catalina.ha.session.DeltaManager" expireSessionsOnShutdown="false" notifyListenersOnReplication="true"
                 stateTransferTimeout="10"/>
        <Channel className="org.apache.catalina.tribes.group.GroupChannel">
          <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver" address="127.0.0.1" port="{port}" autoBind="0"
                    selectorTimeout="5000" maxThreads="6"/>
          <Sender className="org.apache.catalina.tribes.transport.ReplicationTransmitter">
            <Transport className="org.apache.catalina.tribes.transport.nio.PooledParallelSender"/>
          </Sender>
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpPingInterceptor" interval="1000"/>
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor"/>
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor">
            <LocalMember className="org.apache.catalina.tribes.membership.StaticMember" domain="jk" uniqueId="{own_id}"/>
{peers}          </Interceptor>
        </Channel>
        <Valve className="org.apache.catalina.ha.tcp.ReplicationValve" filter=""/>
        <Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
        <ClusterListener className="org.apache.catalina.ha.session.ClusterSessionListener"/>
      </Cluster>
"""

PEER_XML = """            <Member className="org.apache.catalina.tribes.membership.StaticMember" host="127.0.0.1" port="{port}" domain="jk" uniqueId="{id}"/>
"""

# Every page notes in a file, before anything else, that the request came: one write, which a kill does not take back. Its answer
# names the Tomcat and has a checksum of the request's id and body, so that nobody can have gotten another's answer.
HEAD = r"""<%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true" %><%!
    static final String BASE = System.getProperty("catalina.base");

    static void note(HttpServletRequest request) throws java.io.IOException {
        try (java.io.FileOutputStream out = new java.io.FileOutputStream(BASE + "/logs/received", true)) {
            out.write((request.getMethod() + " " + request.getParameter("id") + "\n").getBytes("US-ASCII"));
        }
    }

    static String sum(HttpServletRequest request) throws Exception {
        java.security.MessageDigest md = java.security.MessageDigest.getInstance("SHA-256");
        md.update(request.getParameter("id").getBytes("US-ASCII"));
        md.update(request.getInputStream().readAllBytes());
        return String.format("%064x", new java.math.BigInteger(1, md.digest()));
    }

    static int count(HttpServletRequest request) {
        HttpSession session = request.getSession(true);
        Integer seen = (Integer) session.getAttribute("count");
        int count = seen == null ? 1 : seen + 1;
        session.setAttribute("count", count);
        return count;
    }
%><%
    note(request);
    response.setHeader("X-Node", "{route}");
"""
SUM = 'response.setHeader("X-Sum", sum(request)); '
COUNT = 'response.setHeader("X-Count", "" + count(request)); '

# slow.jsp reads the body when it has waited: until then a POST could be sent again as well as a GET, for all the protocol says.
PAGES = {
    "sum.jsp": HEAD + SUM + 'out.print("sum"); %>',
    "count.jsp": HEAD + SUM + COUNT + 'out.print("count"); %>',
    "slow.jsp": HEAD + "Thread.sleep(500); " + SUM + COUNT + 'out.print("slow"); %>',
    "begun.jsp": HEAD + SUM + 'out.print("first "); out.flush(); Thread.sleep(500); out.print("second"); %>',
}
BODIES = {"sum.jsp": b"sum", "count.jsp": b"count", "slow.jsp": b"slow", "begun.jsp": b"first second"}


def checksum(request_id, body):
    return hashlib.sha256(request_id.encode() + (body or b"")).hexdigest()


class Node(tomcat.Tomcat):
    """One of them. Its route is its name."""

    def __init__(self, route, **cluster):
        pages = {name: text.replace("{route}", route) for name, text in PAGES.items()}
        super().__init__(route=route, cluster=CLUSTER_XML.format(**cluster), pages=pages, web="<distributable/>")

    def stop(self):
        """As an administrator: it finishes what it has."""
        assert proc.stop(self.child, 60), "Tomcat does not stop:\n" + self.log()[-4000:]
        self.child = None

    def restart(self):
        """Launched again, and ready."""
        before = self.starts()
        self.launch().wait()
        assert proc.wait_until(lambda: self.starts() > before, 60, pause=0.05), "Tomcat does not get ready:\n" + self.log()[-4000:]

    def starts(self):
        """How often it got ready: its connectors listen before."""
        return self.log().count("Server startup in")

    def received(self):
        """(method, id) of all that ever came here, in order."""
        try:
            with open(self.base + "/logs/received") as f:
                return [tuple(line.split()) for line in f]
        except FileNotFoundError:
            return []


class Cluster:
    def __init__(self, size=2):
        ports = [proc.free_port() for _ in range(size)]
        ids = ["{%s}" % ",".join(["0"] * 15 + [str(i + 1)]) for i in range(size)]
        peers = [PEER_XML.format(port=port, id=one) for port, one in zip(ports, ids)]
        self.nodes = [Node(f"node{i + 1}", port=ports[i], own_id=ids[i], peers="".join(peers[:i] + peers[i + 1:])) for i in range(size)]

    def start(self):
        """Starts those that are not running, one after the other: two that start at once ask each other for sessions, and wait."""
        for node in self.nodes:
            if node.child is None:
                node.restart()

    def other(self, node):
        """Of two."""
        return self.nodes[1 - self.nodes.index(node)]

    def settle(self, port, seconds=60):
        """Back when a session of each is known to the others. The server at `port` sends a request to the route that X-Route names."""
        for node, other in itertools.permutations(self.nodes, 2):
            assert proc.wait_until(lambda: self._replicates(port, node, other), seconds, pause=0.2), \
                f"{node.route}'s sessions do not reach {other.route}:\n" + "".join(n.log()[-3000:] for n in self.nodes)

    @staticmethod
    def _replicates(port, one, other):
        first = client.get(port, "/count.jsp?id=settle", [("X-Route", one.route)])
        if first.status != 200 or first.header("X-Node") != one.route:
            return False
        cookie = first.header("Set-Cookie").split(";")[0]
        again = client.get(port, "/count.jsp?id=settle", [("X-Route", other.route), ("Cookie", cookie)])
        return (again.header("X-Node"), again.header("X-Count")) == (other.route, "2")

    def received(self):
        """(method, id) -> how often it came, at all together."""
        return collections.Counter(entry for node in self.nodes for entry in node.received())

    def remove(self):
        for node in self.nodes:
            node.remove()

# tools/lib.sh - what tools/demo, tools/bench, tools/release and tools/package share; to be sourced, from anywhere. It runs nothing by itself and holds no options.
# A caller sets `me` (its name, for messages) and `work` (a private directory, for step.log) before it calls anything here.
lib_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
say() { printf '%s\n' "$*"; }
die() { say "$me: $*" >&2; exit 1; }

build_need='gcc make autoconf automake libtool pkg-config apache2-dev apache2-bin libjansson-dev'
build_need_dnf='gcc make autoconf automake libtool pkgconf httpd httpd-devel jansson-devel'
tomcat_need='default-jre-headless tomcat10-common libtomcat10-java libeclipse-jdt-core-java'
install() { # DEBIAN'S FEDORA'S: the packages of these that are missing, or the one line that installs them
    local need=$1 dnf_need=$2 missing='' p
    if command -v dpkg >/dev/null; then
        for p in $need; do dpkg -s "$p" >/dev/null 2>&1 || missing="$missing $p"; done
        [ -n "$missing" ] || return 0
        set -- apt-get install -y --no-install-recommends
    elif command -v rpm >/dev/null; then
        for p in $dnf_need; do rpm -q --whatprovides "$p" >/dev/null 2>&1 || missing="$missing $p"; done
        [ -n "$missing" ] || return 0
        set -- dnf install -y
    else
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        say "Some packages are missing. Please run this, then tools/$me again:"
        say "    sudo $*$missing"
        exit 2
    fi
    say "Installing$missing ..."
    [ "$1" != apt-get ] || apt-get update -q >/dev/null 2>&1
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive "$@" $missing >/dev/null || die "the installation failed; try: $*$missing"
}

progress() { # WHAT COMMAND..
    local what=$1; shift
    printf '%-28s' "$what ..."
    if "$@" > "$work/step.log" 2>&1; then say ok; else say failed; tail -n 30 "$work/step.log"; exit 1; fi
}

build() { # builds mod_jk.so and tools/jkbackend in $work/build
    local top=$lib_top
    mkdir "$work/build"
    cd "$top" || exit 1
    # A tree that was configured in place cannot be built from elsewhere; a clean copy of it can.
    if [ -f config.status ]; then
        mkdir "$work/source"
        progress "Copying the sources" sh -c 'tar -c -f - --exclude=./.git . | (cd "$1" && tar -x -f - && make -s distclean)' sh "$work/source"
        top=$work/source
        cd "$top" || exit 1
    fi
    [ -x configure ] && [ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] || progress "Preparing configure" ./buildconf.sh
    progress "Configuring" sh -c 'cd "$1" && "$2/configure" --with-apxs' sh "$work/build" "$top"
    progress "Building mod_jk.so" make -j2 -C "$work/build" mod_jk.so tools/jkbackend
}

find_httpd() { # sets httpd and modules
    local apxs
    httpd=$(command -v apache2 || command -v httpd || ls /usr/sbin/apache2 /usr/sbin/httpd 2>/dev/null | head -n 1)
    [ -n "$httpd" ] || die "no httpd was found (apt install apache2-bin, dnf install httpd)"
    apxs=$(command -v apxs || command -v apxs2 || echo /usr/bin/apxs)
    modules=$("$apxs" -q LIBEXECDIR) && [ -n "$modules" ] ||
        die "apxs does not say where modules lie (apt install apache2-dev, dnf install httpd-devel)"
}

load() { # NAME..: LoadModule lines of what is not compiled in; find_httpd comes first
    local m
    for m in "$@"; do
        [ ! -f "$modules/mod_$m.so" ] || say "LoadModule ${m}_module $modules/mod_$m.so"
    done
}

httpd_basics() { # ROOT PORT MODULE..: the lines that any private httpd begins with
    local root=$1 port=$2; shift 2
    say "ServerRoot $root"; say "ServerName localhost"; say "Listen 127.0.0.1:$port"; say "PidFile $root/httpd.pid"
    load mpm_event unixd authz_core "$@"
    [ "$(id -u)" != 0 ] || { say "User nobody"; say "Group $(id -gn nobody)"; }
}

write_tomcat() { # BASE AJP_PORT [HTTP_PORT]: a Tomcat 10 that lies in BASE; its application is BASE/webapps/app
    local base=$1 http=''
    [ -z "${3:-}" ] || http="<Connector protocol=\"HTTP/1.1\" address=\"127.0.0.1\" port=\"$3\" maxKeepAliveRequests=\"-1\" />"
    mkdir -p "$base/conf" "$base/logs" "$base/temp" "$base/work" "$base/webapps/app"
    cat > "$base/conf/server.xml" <<XML
<Server port="-1"><Service name="Catalina">
  <Connector protocol="AJP/1.3" address="127.0.0.1" port="$2" secretRequired="false" />$http
  <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps" autoDeploy="false" /></Engine>
</Service></Server>
XML
    cat > "$base/conf/web.xml" <<'XML'
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>default</servlet-name><servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>
  <servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class></servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>
  <welcome-file-list><welcome-file>index.jsp</welcome-file></welcome-file-list>
</web-app>
XML
    printf 'common.loader="/usr/share/tomcat10/lib/*.jar","/usr/share/java/eclipse-jdt-core.jar"\n' > "$base/conf/catalina.properties"
}

run_tomcat() { # BASE: becomes that Tomcat
    local bin=/usr/share/tomcat10/bin
    exec java -XX:TieredStopAtLevel=1 -Dcatalina.home=/usr/share/tomcat10 -Dcatalina.base="$1" -Djava.io.tmpdir="$1/temp" \
        -cp "$bin/bootstrap.jar:$bin/tomcat-juli.jar" org.apache.catalina.startup.Bootstrap start
}

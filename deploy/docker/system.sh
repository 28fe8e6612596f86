#!/bin/sh
# Puts into the folder named what the gateway needs of a system: Node, its libraries, certificates, a user, and who made them.
set -eu
image=$1
node=$(command -v node)
mkdir -p "$image/usr/bin" "$image/etc/ssl/certs" "$image/var/lib/dpkg/status.d"
mkdir -p "$image/proc" "$image/sys" "$image/dev" # where a container has its own, though its root cannot be written to
mkdir -m 1777 "$image/tmp"

strip -o "$image/usr/bin/node" "$node"
libraries=$(ldd "$node" | grep -o '/[^ ]*' | sort -u)
for library in $libraries; do cp --parents --dereference "$library" "$image"; done

cp /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
cp --dereference /etc/os-release "$image/etc/os-release"
echo 'hosts: files dns' >"$image/etc/nsswitch.conf"
echo 'sallyport:x:65532:65532::/:/sbin/nologin' >"$image/etc/passwd"
echo 'sallyport:x:65532:' >"$image/etc/group"

# Scanners for vulnerabilities look here for the Debian packages that files are from.
for library in $libraries /etc/ssl/certs/ca-certificates.crt; do
  # Packages name their files as they are, or as they were before /lib became a link to /usr/lib.
  real=$(readlink --canonicalize "$library")
  dpkg-query --search "$library" "$real" "${real#/usr}" 2>/dev/null | sed 's/: .*//' | head -n 1
done | sort -u | while read -r package; do
  dpkg-query --status "$package" >"$image/var/lib/dpkg/status.d/${package%%:*}"
done
dpkg-query --status ca-certificates >"$image/var/lib/dpkg/status.d/ca-certificates"

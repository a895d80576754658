#!/bin/sh
# A hook of mmdebstrap: puts Debian's kernel and the Python packages of the tests into the root file system.
# Takes the root's folder; WHEELS names a folder of wheels. Only the modules that packets can meet are kept.
set -eux
root=$1
work=$(mktemp -d)

export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
meta=linux-image-cloud-amd64
package=$(apt-cache depends $meta | sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p')
(cd "$work" && apt-get download "$package" && dpkg-deb --extract ./*.deb .)

version=${package#linux-image-}
from=$work/lib/modules/$version
to=$root/usr/lib/modules/$version
mkdir -p "$to/kernel/drivers/net"
cp "$work/boot/vmlinuz-$version" "$root/boot/vmlinuz"
cp "$from"/modules.* "$to"
cp -a "$from/kernel/net" "$from/kernel/lib" "$from/kernel/crypto" "$to/kernel"
cp "$from/kernel/drivers/net/veth.ko" "$from/kernel/drivers/net/ifb.ko" "$to/kernel/drivers/net"
chroot "$root" depmod "$version"
rm -r "$work"

mkdir "$root/wheels"
cp "$WHEELS"/*.whl "$root/wheels"
chroot "$root" sh -c 'PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl) python3 -m pip install \
    --no-index --no-deps --root-user-action=ignore --target=/opt/packages /wheels/*.whl'
rm -r "$root/wheels"

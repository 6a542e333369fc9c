"""Small file systems for disk tests: mounted as root, unmounted by cleanup, skipped where the
machine does not allow it."""

import array
import contextlib
import fcntl
import os
import subprocess

# linux/fs.h: FIFREEZE, FITHAW.
FREEZE = 0xC0045877
THAW = 0xC0045878
# linux/ext4.h: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def mount_tmpfs(test, folder, size):
    os.makedirs(folder, exist_ok=True)
    mount(test, ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], folder)


def mount_ext4(test, folder, mebibytes):
    """A loop-mounted ext4, without journal so that a small one holds something."""
    image = folder + ".image"
    with open(image, "wb") as out:
        out.truncate(mebibytes << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        test.skipTest(f"mkfs.ext4 does not work here: {error}")
    os.makedirs(folder, exist_ok=True)
    mount(test, ["-o", "loop", image, folder], folder)


def mount(test, arguments, folder):
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        test.skipTest(f"mount is not permitted here: {done.stderr.decode().strip()}")
    test.addCleanup(subprocess.run, ["umount", "-l", folder], check=False, capture_output=True)


def remount(test, folder, how):
    done = subprocess.run(["mount", "-o", f"remount,{how}", folder], capture_output=True,
                          check=False)
    if done.returncode != 0:
        test.skipTest(f"remount is not permitted here: {done.stderr.decode().strip()}")


def shut_down(test, folder):
    """Makes every further access to the ext4 give EIO."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
    except OSError as error:
        test.skipTest(f"this kernel does not shut an ext4 down: {error}")
    finally:
        os.close(descriptor)


def freeze(test, folder):
    """Makes whoever writes there wait until thaw(), as before a disk that hangs."""
    try:
        _control(folder, FREEZE)
    except OSError as error:
        test.skipTest(f"this kernel does not freeze the file system: {error}")
    test.addCleanup(thaw, folder)


def thaw(folder):
    with contextlib.suppress(OSError):
        _control(folder, THAW)


def _control(folder, request):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, request, 0)
    finally:
        os.close(descriptor)


def fill(folder):
    """Writes until the file system is full; returns the file to remove."""
    path = os.path.join(folder, "filler")
    for block in (65536, 4096, 512, 1):
        try:
            with open(path, "ab", buffering=0) as out:
                while True:
                    out.write(b"f" * block)
        except OSError:
            continue
    return path

"""Throw-away certificates for the TLS upstream, made by the openssl command line."""

import os
import shutil
import ssl
import subprocess


def available():
    return shutil.which("openssl") is not None


def make(folder, name, subject_alt_name="IP:127.0.0.1", days=2):
    """Makes a self-signed certificate and returns (certificate file, server context)."""
    key = os.path.join(folder, f"{name}.key")
    certificate = os.path.join(folder, f"{name}.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", str(days), "-subj",
         "/CN=scripted upstream", "-addext", f"subjectAltName={subject_alt_name}"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context

"""Certificates made by openssl when a test needs them: an authority, what it signs, and what nobody should take."""
import os
import shutil
import ssl
import subprocess
import sys
import tempfile

ENDED = ("20200101000000Z", "20200102000000Z")


def require_openssl():
    if shutil.which("openssl") is None:
        print("SKIP: the program openssl is not installed")
        sys.exit(77)


class Authority:
    """A folder with a certificate authority and the certificates it has signed: NAME.pem, NAME.key."""

    def __init__(self, name="authority", folder=None):
        self.own_folder = tempfile.mkdtemp(prefix="vigil-tls-") if folder is None else None
        self.folder = folder or self.own_folder
        self.name = name
        self.ca = self.path(name + ".pem")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.path(name + ".key"), "-out", self.ca)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words):
        run = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise AssertionError(f"openssl {words}: {run.stderr}")
        return run.stdout

    def make(self, name, names="", subject=None, dates=None, self_signed=False):
        """(certificate, key) of `names`, as openssl writes subjectAltName; `dates` are (begin, end)."""
        certificate, key = self.path(name + ".pem"), self.path(name + ".key")
        extension = ["-addext", "subjectAltName=" + names] if names else []
        asked = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject or name}",
                 "-keyout", key, *extension]
        if self_signed:
            self.run(*asked, "-x509", "-days", "2", "-out", certificate)
            return certificate, key
        self.run(*asked, "-out", self.path(name + ".csr"))
        self._sign(name, certificate, dates)
        return certificate, key

    def _sign(self, name, certificate, dates):
        config = self.path("ca.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
                       "policy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n")
        open(self.path("index.txt"), "a", encoding="ascii").close()
        span = ["-days", "2"] if dates is None else ["-startdate", dates[0], "-enddate", dates[1]]
        self.run("ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile", self.path(self.name + ".key"),
                 "-in", self.path(name + ".csr"), "-out", certificate, *span)

    def client(self, certificate=None, alpn=("h2", "http/1.1"), check=True):
        """A context of Python's ssl that trusts this authority and shows `certificate`, (file, key file)."""
        context = ssl.create_default_context(cafile=self.ca)
        if not check:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(*certificate)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def close(self):
        if self.own_folder is not None:
            shutil.rmtree(self.own_folder, ignore_errors=True)

"""Abuse reports."""

from mail_back import run

if __name__ == "__main__":
    run(
        b'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="a"\n\n'
        b"--a\nContent-Type: message/feedback-report\n\n"
    )

"""Delivery status notifications, and letters that return something."""

from mail_back import run

if __name__ == "__main__":
    run(
        b"Return-Path: <>\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="a"\n\n'
        b"--a\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
    )

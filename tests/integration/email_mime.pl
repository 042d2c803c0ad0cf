# Reads messages with Perl's Email::MIME: a line of base64 in, a line of JSON out.
use strict;
use warnings;
use Email::MIME;
use JSON::PP;
use MIME::Base64;

$| = 1;
my $json = JSON::PP->new->ascii->canonical;

while (my $line = <STDIN>) {
    my $message = Email::MIME->new(decode_base64($line));
    my %said = (Subject => scalar $message->header_str('Subject'));
    for my $name (qw(From To Reply-To)) {
        $said{$name} = [map { [$_->phrase // '', $_->address] } $message->header_as_obj($name)->addresses];
    }
    for my $name (qw(Message-ID List-ID List-Unsubscribe List-Unsubscribe-Post Feedback-ID)) {
        $said{$name} = scalar $message->header($name);
    }
    $said{bodies} = [map { [$_->content_type =~ m{^(text/\w+)}, $_->body_str] } $message->subparts];
    print $json->encode(\%said), "\n";
}

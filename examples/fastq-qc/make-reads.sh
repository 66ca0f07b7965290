#!/bin/sh
# Make the reads of this folder again, byte for byte: simulated by ART from the genome of phage lambda.
#
# usage: make-reads.sh GENOME [OUTPUT]
#
# GENOME is lambda_virus.fa(.gz) as Debian's bowtie2-examples ships it, OUTPUT where the reads go
# (default: the folder reads/ beside this script).
set -eu

genome=${1:?usage: make-reads.sh GENOME [OUTPUT]}
here=$(cd "$(dirname "$0")" && pwd)
reads=${2:-$here/reads}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gzip -dcf "$genome" >"$work/lambda_virus.fa"
echo "0a04f81952deb68c204e8ae67e0573cb97d348f18ab1b527630d57c294028cf5  $work/lambda_virus.fa" |
    sha256sum --check --quiet
# ART begins the name of a read with that of the genome: leave the accession only.
sed "1s/.*/>NC_001416.1/" "$work/lambda_virus.fa" >"$work/lambda.fa"
mkdir -p "$reads"

# simulate SAMPLE NUMBER LANE PAIRS SEED SHIFT: one lane; SHIFT moves the qualities (a worse run: below 0)
simulate() {
    art_illumina --seqSys MSv1 --paired --noALN --quiet --in "$work/lambda.fa" --len 150 \
        --rcount "$4" --mflen 320 --sdev 40 --rndSeed "$5" --qShift "$6" --qShift2 "$6" \
        --id "$1-L$3-" --out "$work/$1_$3_" >/dev/null
    for mate in 1 2; do
        gzip -9 -n -c "$work/$1_$3_$mate.fq" >"$reads/$1_S$2_L00$3_R${mate}_001.fastq.gz"
    done
}

simulate LAMBDA-A 1 1 1000 20260101 0
simulate LAMBDA-B 2 1 700 20260102 0
simulate LAMBDA-B 2 2 500 20260103 0
simulate LAMBDA-C 3 1 800 20260104 -8

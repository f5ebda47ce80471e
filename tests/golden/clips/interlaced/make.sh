#!/bin/sh
# Makes the clips of this folder: six pictures each that show two moments, line by line. Needs ffmpeg. Those of the
# name "unsaid" hold the same pictures and do not say so; nothing moves in those of the name "still".
set -eu
cd "$(dirname "$0")"
make() {  # NAME MOTION FIELD_ORDER CODEC_OPTIONS...
  name=$1 motion=$2 order=$3
  shift 3
  # Bars have no lines of their own; what stands still has the finest.
  picture="smptebars=size=96x64:rate=20,scroll=horizontal=0.07"
  [ "$motion" = still ] && picture="testsrc2=size=96x64:rate=20,loop=-1:1,setpts=N/20/TB"
  ffmpeg -hide_banner -loglevel error -y -bitexact -f lavfi -i "$picture" \
    -vf "tinterlace=interleave_$order" -frames:v 6 -pix_fmt yuv420p -threads 1 -flags +bitexact -map_metadata -1 \
    "$@" "$name"
}
mpeg2="-c:v mpeg2video -g 3 -q:v 4"
x264="-c:v libx264 -preset veryfast -crf 20 -g 3 -bf 1"
make mpeg2_top.ts moving top $mpeg2 -flags +ilme+ildct+bitexact -top 1
make mpeg2_unsaid.ts moving top $mpeg2
make mpeg2_still.ts still top $mpeg2 -flags +ilme+ildct+bitexact -top 1
make mpeg2_still_unsaid.ts still top $mpeg2
make h264_top.mp4 moving top $x264 -x264-params tff=1
make h264_bottom.mp4 moving bottom $x264 -x264-params bff=1
make h264_unsaid.mp4 moving top $x264

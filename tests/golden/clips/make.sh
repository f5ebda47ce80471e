#!/bin/sh
# Makes the clips of this folder. Needs ffmpeg; the frames of NAME.ppm are what its default scaler gives.
set -eu
cd "$(dirname "$0")"
ff="ffmpeg -hide_banner -loglevel error -y -bitexact"
pattern() { echo "-f lavfi -i testsrc2=size=$1:rate=10:duration=$2"; }
x264="-c:v libx264 -preset veryfast -crf 30 -pix_fmt yuv420p -threads 1 -flags +bitexact -map_metadata -1"

$ff $(pattern 128x96 3) $x264 -g 10 street.mp4
$ff $(pattern 128x96 3) $x264 -g 10 -metadata creation_time=2026-11-23T09:00:00Z dated.mp4
$ff $(pattern 128x96 1) $x264 -g 10 -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 bt709.mp4
$ff $(pattern 130x98 1) -c:v mjpeg -q:v 8 -pix_fmt yuvj420p -flags +bitexact fullrange.avi
$ff $(pattern 128x96 1) $x264 -g 10 -f mpegts a.ts
$ff $(pattern 160x120 1) $x264 -g 10 -f mpegts b.ts
$ff $(pattern 128x96 1) -c:v mpeg2video -q:v 8 -f mpegts c.ts
cat a.ts b.ts > resolution_change.ts
cat a.ts c.ts > codec_change.ts
rm a.ts b.ts c.ts
$ff $(pattern 128x96 1) $x264 -g 10 -output_ts_offset 95443 -f mpegts wrap.ts
$ff $(pattern 64x48 3) $x264 -bf 0 -g 10 -output_ts_offset 3600 late_start.mp4
$ff -i late_start.mp4 -c copy -copyts late_start.mkv
$ff $(pattern 64x48 55) -vf "select='lt(mod(t,13),3)'" -fps_mode vfr $x264 -bf 0 -g 30 bursts.mp4
$ff -f lavfi -i testsrc2=size=64x48:rate=25:duration=4 $x264 -bf 0 -g 25 camera.h264
$ff -f lavfi -i sine=duration=1 -c:a aac -b:a 16k audio_only.mp4
$ff $(pattern 128x96 1) -f lavfi -i sine=duration=1 $x264 -c:a aac -b:a 16k with_audio.mp4
$ff $(pattern 128x96 1) -c:v libvpx -b:v 60k -threads 1 vp8.webm
$ff $(pattern 128x96 1) -c:v libvpx-vp9 -b:v 60k -threads 1 vp9.webm
$ff $(pattern 128x96 1) -c:v mpeg4 -q:v 8 mpeg4.avi
$ff $(pattern 128x96 1) -c:v libx265 -preset veryfast -crf 30 -x265-params log-level=none:pools=1 -pix_fmt yuv420p h265.mkv
$ff $(pattern 128x96 3) $x264 -g 30 -bsf:v "noise=amount=200*not(eq(n\,0))" damaged.mp4
head -c 9000 street.mp4 > no_index.mp4                     # its index stood at the end
$ff -i street.mp4 -c copy -movflags faststart whole.mp4
$ff -i street.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof fragmented.mp4
# More pixels than the limit, in few bytes; in a .ts the size is known from the picture's own header only.
$ff -f lavfi -i color=black:size=6000x6000:rate=1:duration=1 -c:v libx264 -preset ultrafast -coder 1 -threads 1 -map_metadata -1 bomb.mp4
$ff -i bomb.mp4 -c copy -f mpegts bomb.ts
size=$(wc -c < whole.mp4)
head -c $((size * 2 / 3)) whole.mp4 > truncated.mp4
rm whole.mp4
for name in street.mp4 bt709.mp4 fullrange.avi; do
  ffmpeg -hide_banner -loglevel error -y -i $name -vf select=eq\(n\\,5\) -frames:v 1 -pix_fmt rgb24 -f image2 -c:v ppm $name.ppm
done
# Three sequences of five pictures; the test puts messages in. FFmpeg's own ones stand in the MP4.
raw="$(pattern 96x64 1.5) -preset veryfast -crf 34 -pix_fmt yuv420p -threads 1 -flags +bitexact -map_metadata -1"
$ff $raw -c:v libx264 -x264-params keyint=5:bframes=2:b-adapt=0:scenecut=0 -f h264 plain.h264
$ff $raw -c:v libx265 -x265-params log-level=none:pools=1:keyint=5:min-keyint=5:bframes=2:b-adapt=0:scenecut=0:open-gop=0 -f hevc plain.h265
$ff $raw -c:v libx264 -x264-params keyint=5:bframes=2:b-adapt=0:scenecut=0 -bsf:v h264_metadata=display_orientation=insert:rotate=90 sei.ts
$ff -i sei.ts -c copy sei.mp4
rm sei.ts
$ff $(pattern 96x64 0.5) $x264 -g 10 plain.mkv
python3 roll.py plain.mkv rolled.mkv 90  # against the clock

#!/bin/sh
# Makes the clips of this folder: two pictures each, in every way to say, or not to say, what the numbers of a colour
# mean. Needs ffmpeg. Names: matrix, range, sampling and depth; "unsaid" where the stream leaves it out.
set -eu
cd "$(dirname "$0")"
make() {  # NAME SIZE PIXEL_FORMAT CODEC_OPTIONS...
  name=$1 size=$2 format=$3
  shift 3
  ffmpeg -hide_banner -loglevel error -y -bitexact -f lavfi -i "testsrc2=size=$size:rate=10:duration=0.2" \
    -pix_fmt "$format" -threads 1 -flags +bitexact -map_metadata -1 "$@" "$name"
}
x264() {  # NAME SIZE PIXEL_FORMAT X264_PARAMETERS
  make "$1" "$2" "$3" -c:v libx264 -preset veryfast -crf 34 -g 1 -x264-params "$4"
}
x264 unsaid_420.mp4 64x48 yuv420p ref=1
x264 unsaid_420_large.mp4 64x720 yuv420p ref=1          # where others take another matrix for granted
x264 unsaid_full_420_large.mp4 64x720 yuv420p fullrange=on  # its range is said, its matrix is not
x264 unsaid_full_420.mp4 64x48 yuv420p fullrange=on
x264 unsaid_yuvj420p.mp4 64x48 yuvj420p ref=1
x264 bt601_limited_420_large.mp4 64x720 yuv420p colormatrix=smpte170m:colorprim=smpte170m:transfer=smpte170m
x264 bt709_limited_420.mp4 64x48 yuv420p colormatrix=bt709:colorprim=bt709:transfer=bt709
x264 bt709_full_420.mp4 64x48 yuv420p colormatrix=bt709:colorprim=bt709:transfer=bt709:fullrange=on
x264 bt709_matrix_alone_420.mp4 64x48 yuv420p colormatrix=bt709
x264 bt2020_limited_420_10.mp4 64x48 yuv420p10le colormatrix=bt2020nc:colorprim=bt2020:transfer=bt2020-10
x264 unsaid_420_10.mp4 64x48 yuv420p10le ref=1
x264 bt709_limited_422.mp4 64x48 yuv422p colormatrix=bt709:colorprim=bt709:transfer=bt709
x264 unsaid_full_422_10.mp4 64x48 yuv422p10le fullrange=on
x264 bt601_full_444.mp4 64x48 yuv444p colormatrix=smpte170m:colorprim=smpte170m:transfer=smpte170m:fullrange=on
x264 unsaid_444.mp4 66x50 yuv444p ref=1
x264 unsaid_odd_420.mp4 70x54 yuv420p ref=1
x264 unsaid_420.ts 64x48 yuv420p ref=1
make unsaid_hevc_420_large.mp4 64x720 yuv420p -c:v libx265 -preset veryfast -crf 34 -x265-params log-level=none:pools=1
make bt709_full_hevc_420_10.mp4 64x48 yuv420p10le -c:v libx265 -preset veryfast -crf 34 \
  -x265-params log-level=none:pools=1:colormatrix=bt709:colorprim=bt709:transfer=bt709:range=full
make unsaid_vp8.webm 64x720 yuv420p -c:v libvpx -b:v 60k
make unsaid_vp9.webm 64x720 yuv420p -c:v libvpx-vp9 -b:v 60k
make bt709_vp9.webm 64x48 yuv420p -c:v libvpx-vp9 -b:v 60k -colorspace bt709 -color_range tv
make unsaid_mpeg4.avi 64x48 yuv420p -c:v mpeg4 -q:v 8
make jpeg_420.avi 64x48 yuvj420p -c:v mjpeg -q:v 8
make jpeg_422.avi 64x48 yuvj422p -c:v mjpeg -q:v 8
make jpeg_444.avi 64x48 yuvj444p -c:v mjpeg -q:v 8
make unsaid_mpeg2.ts 64x48 yuv420p -c:v mpeg2video -q:v 8
make unsaid_theora.ogv 64x48 yuv420p -c:v libtheora -q:v 5

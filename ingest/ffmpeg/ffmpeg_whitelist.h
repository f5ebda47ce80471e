#pragma once

// Protocols, containers and codecs that FFmpeg may open. Playlists and descriptions (hls, dash, concat, sdp,
// image2) are left out, because they name other files and hosts.
namespace palisade {

inline constexpr const char* kContainers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,h264,hevc,m4v,mjpeg,mpjpeg,ivf,"
    "obu,av1";

// Containers without timestamps, for which FFmpeg assumes a frame rate.
inline constexpr const char* kUntimedContainers = "mpjpeg,mjpeg,h264,hevc,m4v,mpegvideo,obu";

inline constexpr const char* kRtspFormats = "rtsp,rtp,mpegts";

inline constexpr const char* kDecoders =
    "h264,hevc,libdav1d,libaom-av1,av1,vp8,vp9,mpeg4,mjpeg,mpeg1video,mpeg2video,msmpeg4v1,msmpeg4v2,msmpeg4,"
    "h263,"
    "h263p,flv,theora";

}  // namespace palisade

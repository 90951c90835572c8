"""Which modules an Asterisk of ours loads: nothing loads by itself, so that it starts in a third of a second."""

from __future__ import annotations

from typing import Final

_BASE = (
    "res_timing_timerfd", "res_http_websocket", "res_crypto", "res_sorcery_config", "res_sorcery_memory",
    "res_sorcery_astdb", "pbx_config", "res_cdrel_custom", "cdr_custom", "func_cdr", "func_channel", "func_callerid",
    "func_hangupcause", "func_logic", "func_strings", "func_timeout",
)  # fmt: skip
_STASIS = (
    "res_stasis", "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop",
    "res_stasis_device_state", "app_stasis",
)  # fmt: skip
_ARI = (
    "res_websocket_client", "res_ari", "res_ari_model", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges",
    "res_ari_channels", "res_ari_device_states", "res_ari_endpoints", "res_ari_events", "res_ari_playbacks",
    "res_ari_recordings", "res_ari_sounds",
)  # fmt: skip
_SIP = (
    "res_pjproject", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_caller_id",
    "res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration",
    "res_pjsip_registrar", "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user",
    "res_pjsip_header_funcs", "res_pjsip_rfc3326", "res_pjsip_dtmf_info", "res_pjsip_nat", "res_pjsip_dlg_options",
    "res_pjsip_logger", "res_pjsip_acl", "res_pjsip_pubsub", "res_pjsip_refer", "res_pjsip_diversion",
    "res_pjsip_maintenance", "res_pjsip_transport_websocket", "chan_pjsip",
)  # fmt: skip
_MEDIA = (
    "res_rtp_asterisk", "res_srtp", "res_format_attr_opus", "res_audiosocket", "chan_websocket", "chan_audiosocket",
    "chan_bridge_media", "codec_ulaw", "codec_alaw", "codec_gsm", "codec_g722", "codec_resample", "codec_a_mu",
    "codec_opus_open_source", "format_wav", "format_pcm", "format_gsm", "format_sln", "bridge_builtin_features",
    "bridge_holding", "bridge_native_rtp", "bridge_simple", "bridge_softmix"
)  # fmt: skip
_APPLICATIONS = (
    "app_amd", "app_playback", "app_echo", "app_dial", "app_waitforsilence", "app_verbose", "app_talkdetect",
    "func_talkdetect",
)  # fmt: skip

MODULES: Final = (*_BASE, *_STASIS, *_ARI, *_SIP, *_MEDIA, *_APPLICATIONS)
"""The names, without `.so`. Some look idle and are not: without one of them, what another promises is declined."""

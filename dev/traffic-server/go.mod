module longshore.dev/traffic-server

go 1.26.0

tool longshore.dev/traffic-server

require github.com/coder/websocket v1.8.15

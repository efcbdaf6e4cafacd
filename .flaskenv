FLASK_APP=api.app
